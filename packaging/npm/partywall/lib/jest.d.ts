declare global {
  namespace jest {
    // As @types/jest has it.
    interface Matchers<R, T = {}> {
      /** Passes where nothing crossed and every control fired. */
      toBeIsolated(): Promise<R>;
    }
  }
}

export {};
