import * as factory from "./lib/factory";
import whole from "far/away";

export function members(userContext: UserContext) {
  factory.getFactory(); // fixed: userContext
  whole.getFactory(); // left: not_a_module
}
