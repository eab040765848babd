import { tickFamilies } from "./families.ts";
import { keepLive } from "./live.ts";

tickFamilies();
keepLive();
