// The language of the page. Another one is another folder beside text/.

export { words } from "./text/words";
