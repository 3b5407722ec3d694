/** The public API of sak-reconcile: re-exports only. */
export * from './core/errors.ts'
