package api

// PageQuery is how a list is paged.
type PageQuery struct {
	Limit  int   `query:"limit" doc:"How many to answer: 10 when left out, at most 100."`
	After  int64 `query:"after" doc:"Only those with ids below this one: pagination.next of the page before."`
	Before int64 `query:"before" doc:"Only those with ids above this one."`
}

// limit is the page's length.
func (q PageQuery) limit() int {
	if q.Limit <= 0 {
		return 10
	}
	return min(q.Limit, 100)
}

// Page is a list.
type Page[T any] struct {
	Data       []T        `json:"data"`
	Pagination Pagination `json:"pagination"`
}

// Pagination says where in the whole a Page is.
type Pagination struct {
	Count int    `json:"count" doc:"How many are on this page."`
	Next  *int64 `json:"next" doc:"Send as after to get the next page; null when this page is empty."`
	Prev  *int64 `json:"prev" doc:"Send as before to get the page before."`
}

// paged makes a page of what was found.
func paged[T any](data []T, id func(T) int64) Page[T] {
	p := Page[T]{Data: data, Pagination: Pagination{Count: len(data)}}
	if len(data) == 0 {
		p.Data = []T{}
		return p
	}
	next, prev := id(data[len(data)-1]), id(data[0])
	p.Pagination.Next, p.Pagination.Prev = &next, &prev
	return p
}

// ByID names a thing in a path.
type ByID struct {
	ID int64 `path:"id"`
}
