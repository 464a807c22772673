export function getFactory() {
  return null;
}

export function createFactory(userContext: UserContext) {
  return userContext;
}
