declare global {
  namespace jest {
    interface Matchers<R> {
      /** Passes where nothing crossed and every control fired. */
      toBeIsolated(): Promise<R>;
    }
  }
}

export {};
