const factory = require("./lib/factory");
const { getFactory: taken } = require("./lib/factory");

function members(userContext) {
  factory.getFactory(); // fixed: userContext
  taken(); // fixed: userContext
}

function near(userContext, given) {
  given.getFactory(); // left: not_a_module
  this.getFactory(); // left: not_a_module
  factory?.getFactory(); // left: not_plain_call
}
