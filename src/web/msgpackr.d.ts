/** The build that makes no code from text, which the page's policy forbids. It comes without types of its own. */
declare module "msgpackr/index-no-eval" {
  export { Packr, Unpackr } from "msgpackr";
}
