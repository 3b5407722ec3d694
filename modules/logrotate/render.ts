import { renderTemplate, type Size, sizeBytes } from 'sak-reconcile'
import { type Stanza, scriptNames } from './options.ts'

type Owner = { mode?: string | undefined; owner?: string | undefined; group?: string | undefined }

/** Who rotates the logs of a stanza, once that is known. */
export type Su = { readonly user: string; readonly group: string } | undefined

/** The text of our file. */
export function renderStanzas(stanzas: readonly { readonly stanza: Stanza; readonly su: Su }[]): string {
  return renderTemplate(new URL('./stanzas.ejs', import.meta.url), {
    stanzas: stanzas.map(({ stanza, su }) => ({
      header: stanza.paths.map(quoted).join(' '),
      directives: directives(stanza, su),
      scripts: scriptNames.flatMap(name => scriptOf(name, stanza[name])),
    })),
  })
}

/** Whether the log is copied and emptied in place. */
export function copiesAndTruncates(stanza: Stanza): boolean {
  if (stanza.copytruncate !== undefined) return stanza.copytruncate
  return !(stanza.create || stanza.copy || stanza.renamecopy || stanza.postrotate || stanza.lastaction)
}

// A script's lines keep their own indentation: a here-document would not survive another.
function scriptOf(name: string, script: string | undefined): { name: string; lines: string[] }[] {
  return script === undefined ? [] : [{ name, lines: script.replace(/\n$/, '').split('\n') }]
}

function quoted(path: string): string {
  return /[\s#]/.test(path) ? `"${path}"` : path
}

function directives(stanza: Stanza, su: Su): string[] {
  const { frequency, weekday } = stanza
  const lines = [
    frequency && (weekday === undefined ? frequency : `${frequency} ${weekday}`),
    value('size', stanza.size && logrotateSize(stanza.size)),
    value('minsize', stanza.minsize && logrotateSize(stanza.minsize)),
    value('maxsize', stanza.maxsize && logrotateSize(stanza.maxsize)),
    ...(['rotate', 'start', 'minage', 'maxage'] as const).map(name => value(name, stanza[name])),
    su && `su ${su.user} ${su.group}`,
    ...(['missingok', 'allowhardlink', 'copy', 'renamecopy'] as const).map(name => toggle(name, stanza[name])),
    toggle('copytruncate', copiesAndTruncates(stanza) || stanza.copytruncate),
    toggle('notifempty', stanza.notifempty, 'ifempty'),
    stanza.ignoreduplicates && 'ignoreduplicates',
    owned('create', stanza.create),
    value('olddir', stanza.olddir),
    owned('createolddir', stanza.createolddir),
    ...(['compress', 'delaycompress'] as const).map(name => toggle(name, stanza[name])),
    ...(['compresscmd', 'uncompresscmd', 'compressext', 'compressoptions'] as const).map(name =>
      value(name, stanza[name]),
    ),
    toggle('dateext', stanza.dateext),
    value('dateformat', stanza.dateformat),
    stanza.dateyesterday && 'dateyesterday',
    stanza.datehourago && 'datehourago',
    ...(['extension', 'addextension'] as const).map(name => value(name, stanza[name])),
    stanza.mail === false ? 'nomail' : value('mail', stanza.mail),
    toggle('mailfirst', stanza.mailfirst, 'maillast'),
    toggle('shred', stanza.shred),
    value('shredcycles', stanza.shredcycles),
    toggle('sharedscripts', stanza.sharedscripts),
  ]
  return lines.filter(line => typeof line === 'string')
}

function value(name: string, given: string | number | undefined): string | undefined {
  return given === undefined ? undefined : `${name} ${given}`
}

function toggle(name: string, given: boolean | undefined, opposite = `no${name}`): string | undefined {
  return given === undefined ? undefined : given ? name : opposite
}

function owned(name: string, given: boolean | Owner | undefined): string | undefined {
  if (given === undefined || typeof given === 'boolean') return toggle(name, given)
  return [name, given.mode, given.owner, given.group].filter(part => part !== undefined).join(' ')
}

/** logrotate knows whole numbers of k, M and G. */
function logrotateSize(size: Size): string {
  const bytes = sizeBytes(size)
  const unit = (['G', 'M', 'k'] as const).find(name => bytes >= units[name] && bytes % units[name] === 0)
  return unit === undefined ? String(bytes) : `${bytes / units[unit]}${unit}`
}

const units = { G: 1024 ** 3, M: 1024 ** 2, k: 1024 } as const
