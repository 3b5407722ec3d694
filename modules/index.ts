/** The built-in modules. Each is written against the package's public name, as anyone's would be. */
export { cron } from './cron/module.ts'
export { logrotate } from './logrotate/module.ts'
export { nginxconf } from './nginxconf/module.ts'
export { pgconf } from './pgconf/module.ts'
export { pm2eco } from './pm2eco/module.ts'
export { pm2logrotate } from './pm2logrotate/module.ts'
export { swapfile } from './swapfile/module.ts'
export { sysctl } from './sysctl/module.ts'
