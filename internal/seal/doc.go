// Package seal turns a PDF into a sealed PDF: it repairs and measures what is uploaded, draws pages as
// pictures, stamps what people filled in, appends the audit pages, signs and verifies.
//
// It is given bytes and plain values and gives bytes and plain values back. It must never know of a database, a
// request or a session, never read a clock for anything that ends up in a document, and never write to disk
// other than the compilation cache it is told about. It is the only package that knows PDFium.
package seal
