import "vitest";

declare module "vitest" {
  interface Assertion<T = any> {
    /** Passes where nothing crossed and every control fired. */
    toBeIsolated(): Promise<void>;
  }
  interface AsymmetricMatchersContaining {
    toBeIsolated(): Promise<void>;
  }
}
