import "./editor.ts";
