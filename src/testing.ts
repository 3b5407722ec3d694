/** For authors of modules: a host that is data, a runner for recorded cases, and the laws of every module. Needs no test runner. */
export { type CaseResult, runCases } from './testing/cases.ts'
export { fakeFacts } from './testing/fake-facts.ts'
export { FakeHostState, fakeHost, withFileSteps } from './testing/fake-host.ts'
export { brokenLaws, type LawOptions } from './testing/laws.ts'
