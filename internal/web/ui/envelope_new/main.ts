import "./dropzone.ts";
import "./recipients.ts";
