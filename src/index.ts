/** The public API of sak-reconcile: re-exports only. */

export { type Account, type Group, parseAccounts, parseGroups, readAccount } from './core/account.ts'
export type { AdviceOptions, AdviceRule, Finding, Silence, Surroundings } from './core/advice.ts'
export type { Footprint } from './core/budget.ts'
export { type Change, type Changes, type Checked, diffByKey, inSync, type Unreadable } from './core/change.ts'
export { type Config, defineConfig } from './core/config.ts'
export type { ConnectOptions } from './core/connect-options.ts'
export { nextCronRun, parseCronSchedule } from './core/cron-schedule.ts'
export { type ErrorCode, isSakError, SakError } from './core/errors.ts'
export type { HostFacts } from './core/facts.ts'
export {
  absent,
  bytesOf,
  type DirectoryState,
  type FileRead,
  type FileState,
  file,
  type LinkState,
  type Stat,
  sha256Of,
  type UnknownState,
} from './core/file.ts'
export type { CommandOptions, CommandResult, Host } from './core/host.ts'
export {
  defineInventory,
  type Inventory,
  type InventoryGroup,
  type InventoryHost,
  type InventoryInput,
  inventorySchema,
} from './core/inventory.ts'
export {
  checkFile,
  DiffRule,
  desiredFile,
  fileParams,
  isClosed,
  placeFile,
  ValidateCommand,
} from './core/managed-file.ts'
export { type Adopted, blocked, defineModule, type Module, type ModuleDefinition, orUnreadable } from './core/module.ts'
export { partOf } from './core/owned.ts'
export { fileObstacles, LinkRule, otherThan, type Place, readPlace, unknownOwners } from './core/place.ts'
export type { PlanFile } from './core/plan-file.ts'
export {
  definePlaybook,
  type Playbook,
  type PlaybookDefinition,
  type PlaybookFactory,
  type PlaybookHost,
} from './core/playbook.ts'
export type { Report, RunEvent } from './core/report.ts'
export type { Health, RolloutOptions, Share } from './core/rollout.ts'
export {
  escapeSecrets,
  holdsSecret,
  isSecret,
  orSecret,
  type Secret,
  type SecretEncoding,
  SecretString,
  secret,
  unescapeSecrets,
} from './core/secret.ts'
export { readSource, SourcePath } from './core/source.ts'
export {
  type Command,
  daemonReload,
  type Impact,
  makeDirectory,
  makeLink,
  remove,
  removeDirectory,
  run,
  type Step,
  service,
  waitFor,
  write,
} from './core/step.ts'
export {
  enableLinger,
  findSystemd,
  makeUnitDirectories,
  ownedUnit,
  parseUnits,
  type Systemd,
  systemdCommand,
  type UnitProperties,
} from './core/systemd.ts'
export type { Task, TaskOptions } from './core/task.ts'
export { type TaskItem, type TaskList, tasks, together } from './core/task-list.ts'
export { renderTemplate } from './core/template.ts'
export { AbsolutePath, Duration, durationMs, FileMode, Size, sizeBytes, UserName } from './core/units.ts'
export type { KnownHost, When } from './core/when.ts'
export { loadInventory } from './loading/inventory.ts'
export {
  type ApplyPlanOptions,
  apply,
  type Planned,
  plan,
  type ReconcileOptions,
  type RunOptions,
  reconcile,
} from './run.ts'
