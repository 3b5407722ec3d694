import type { Adopted, Host } from 'sak-reconcile'
import type { z } from 'zod'
import { Params, settingNames } from './params.ts'
import { isInstalled, moduleName, parseConf, settingsOf } from './parse.ts'

type Found = z.input<typeof Params>

/** A task for each user whose PM2, in its usual place, has the module installed. */
export async function adopt(host: Host): Promise<Adopted<Found>> {
  const [passwd, files] = await Promise.all([
    host.file('/etc/passwd'),
    host.files(['/home/*/.pm2/module_conf.json', '/root/.pm2/module_conf.json']),
  ])
  const users = (passwd.content ?? '').split('\n').map(line => line.split(':'))
  const found = files.flatMap(({ path, content }) => {
    const user = users.find(fields => `${fields[5]}/.pm2/module_conf.json` === path)?.[0]
    const conf = parseConf(content)
    if (user === undefined || conf === undefined || !isInstalled(conf)) return []
    return paramsOf(user, settingsOf(conf[moduleName]))
  })
  return found.length > 0 ? found : 'no PM2 of a user has pm2-logrotate installed'
}

/** The settings that the params can say; the others stay as they are. */
function paramsOf(user: string, settings: Readonly<Record<string, string>>): Found[] {
  const known = settingNames.flatMap(name => {
    const value = fromText(settings[name])
    return value !== undefined && Params.shape[name].safeParse(value).success ? [[name, value] as const] : []
  })
  return [{ user, ...Object.fromEntries(known) }]
}

function fromText(text: string | undefined): string | number | boolean | undefined {
  if (text === 'true' || text === 'false') return text === 'true'
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : text
}
