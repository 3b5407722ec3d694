import type { Adopted, FileRead, Host } from 'sak-reconcile'

/**
 * A task for each service whose own file somebody put into /etc/systemd/system. What packages bring runs or not by their own
 * will: a playbook that names all of it says nothing. What timers start is theirs.
 */
export async function adopt(host: Host): Promise<Adopted<{ readonly name: string }>> {
  const [services, timers] = await Promise.all([
    host.files(['/etc/systemd/system/*.service']),
    host.files(['/etc/systemd/system/*.timer']),
  ])
  const started = timers.map(nameOf)
  const own = services.filter(file => file.stat?.realPath === undefined).map(nameOf)
  const found = own.filter(name => !started.includes(name) && !name.endsWith('@'))
  return found.length > 0 ? found.map(name => ({ name })) : 'no service has a file of its own in /etc/systemd/system'
}

const nameOf = ({ path }: FileRead) => path.slice(path.lastIndexOf('/') + 1, path.lastIndexOf('.'))
