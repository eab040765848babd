import "./copy.ts";
import { helpDialogs } from "./dialogs.ts";
import { helpMenus } from "./menus.ts";
import { submitOnce } from "./once.ts";
import { dismissNotices } from "./notices.ts";
import { leadToWrong } from "./wrong.ts";
import { keepTimes } from "./times.ts";

helpDialogs();
helpMenus();
submitOnce();
dismissNotices();
keepTimes();
leadToWrong();
