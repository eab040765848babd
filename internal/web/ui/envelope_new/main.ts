import "./dropzone.ts";
import "./recipients.ts";
import { saveAsYouGo } from "./autosave.ts";

saveAsYouGo();
