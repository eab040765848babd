// Package dist holds the files that internal/web/build.mjs made, so that they travel inside the binary. It contains no
// other code; see internal/web/ui/assets for how they are named and served.
package dist

import "embed"

// Files is the build output; without a build it holds no manifest.json, which assets.New refuses.
//
//go:embed all:*
var Files embed.FS
