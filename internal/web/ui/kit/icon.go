package kit

import (
	"context"
	"io"

	"github.com/a-h/templ"
)

// iconPath is the drawing of an icon on a 20 by 20 grid, stroked.
func iconPath(name string) string {
	switch name {
	case "plus":
		return "M10 4v12M4 10h12"
	case "check":
		return "M4 10.5l4 4 8-9"
	case "x":
		return "M5 5l10 10M15 5L5 15"
	case "pencil":
		return "M3.500 16.500l.8-3.600L13.600 3.600l2.800 2.800-9.300 9.300zM11.800 5.400l2.800 2.800"
	case "pen":
		return "M3 17c3-1 5-1.500 7-1.500M6.500 13.500L9 7l5-3.500L16.500 6 13 11zM6.500 13.500L10.500 9.500"
	case "clock":
		return "M10 3a7 7 0 100 14 7 7 0 000-14zM10 6v4.200l2.800 1.800"
	case "hourglass":
		return "M5 3h10M5 17h10M6 3c0 4 3 5 4 7 1-2 4-3 4-7M6 17c0-4 3-5 4-7 1 2 4 3 4 7"
	case "ban":
		return "M10 3a7 7 0 100 14 7 7 0 000-14zM5.200 5.200l9.600 9.600"
	case "mail":
		return "M3 5h14v10H3zM3 5.500l7 5.500 7-5.500"
	case "eye":
		return "M2 10c2-3.600 4.800-5.500 8-5.500s6 1.900 8 5.500c-2 3.600-4.800 5.500-8 5.500S4 13.600 2 10zM10 7.700a2.300 2.300 0 100 4.600 2.300 2.300 0 000-4.600z"
	case "refresh":
		return "M16 6v4h-4M16 10a6 6 0 10-1.600 4.300"
	case "lock":
		return "M5 9h10v8H5zM7 9V6.500a3 3 0 016 0V9M10 12v2"
	case "copy":
		return "M7 7h9v9H7zM4 13V4h9"
	case "download":
		return "M10 3v10M6 9.500l4 4 4-4M4 17h12"
	case "upload":
		return "M10 14V4M6 7.500l4-4 4 4M4 17h12"
	case "trash":
		return "M4 6h12M8 6V4h4v2M5.500 6l.7 11h7.600l.7-11M8.500 9v5M11.500 9v5"
	case "search":
		return "M9 3.500a5.500 5.500 0 100 11 5.500 5.500 0 000-11zM13 13l4 4"
	case "settings":
		return "M10 7.500a2.500 2.500 0 100 5 2.500 2.500 0 000-5zM10 2.500v2M10 15.500v2M2.500 10h2M15.500 10h2M4.700 4.700l1.400 1.400M13.900 13.900l1.400 1.400M15.300 4.700l-1.400 1.400M6.100 13.900l-1.400 1.400"
	case "people":
		return "M7.500 9.500a3 3 0 100-6 3 3 0 000 6zM2 17c.2-3.600 2.400-5.500 5.500-5.500S12.800 13.400 13 17M13 4a2.700 2.700 0 010 5.300M15 12c1.900.8 2.900 2.500 3 5"
	case "person":
		return "M10 10a3.300 3.300 0 100-6.600 3.300 3.300 0 000 6.600zM4 17c.3-3.600 2.600-5.300 6-5.300s5.700 1.700 6 5.300"
	case "exit":
		return "M8 3H4v14h4M8 10h9M13.500 6.500L17 10l-3.500 3.500"
	case "send":
		return "M3 10.500L17 3l-4 14-3.500-6zM9.500 11L17 3"
	case "hook":
		return "M7.500 8.800A3.300 3.300 0 1112 6.500l2 4.500M5 9.500a3.500 3.500 0 104.500 4.700h4M14 11a3.300 3.300 0 11-.9 5.200"
	case "file":
		return "M5 2.500h6.500L15 6v11.500H5zM11.500 2.500V6H15M7.500 10h5M7.500 13h5"
	case "up":
		return "M5 12l5-5 5 5"
	case "down":
		return "M5 8l5 5 5-5"
	case "left":
		return "M12 5l-5 5 5 5"
	case "right":
		return "M8 5l5 5-5 5"
	case "grip":
		return "M7.500 5v.01M12.500 5v.01M7.500 10v.01M12.500 10v.01M7.500 15v.01M12.500 15v.01"
	case "warning":
		return "M10 3.500L18 16.500H2zM10 8.500v3.500M10 14.200v.01"
	case "info":
		return "M10 3a7 7 0 100 14 7 7 0 000-14zM10 9.500V14M10 6.500v.01"
	case "key":
		return "M7 9a4 4 0 104 4 4 4 0 00-.6-2L17 4.500M14 7.500l2 2M11.500 10l1.500 1.500"
	case "more":
		return "M4.500 10a.5.5 0 101 0 .5.5 0 00-1 0zM9.500 10a.5.5 0 101 0 .5.5 0 00-1 0zM14.500 10a.5.5 0 101 0 .5.5 0 00-1 0z"
	case "seal":
		return "M10 2.500a5 5 0 100 10 5 5 0 000-10zM7 12l-1.500 5.500L10 15.500l4.500 2L13 12M8 7.500l1.500 1.500L12 6.500"
	case "link":
		return "M8.500 11.500l3-3M9 6l2-2a3.500 3.500 0 015 5l-2 2M11 14l-2 2a3.500 3.500 0 01-5-5l2-2"
	case "dot":
		return "M10 9.500v1"
	}
	return "M10 9.500v1"
}

// Icon is a small drawing beside a word; it is silent for screen readers. An unknown name is a dot.
func Icon(name string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, err := io.WriteString(w, `<svg class="icon" width="18" height="18" viewBox="0 0 20 20" fill="none" stroke="currentColor" stroke-width="1.6" `+
			`stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false"><path d="`+iconPath(name)+`"/></svg>`)
		return err
	})
}
