import { SakError } from '../../core/errors.ts'

/** Throws SakError 'invalid-inventory': something is encrypted by ansible-vault, which is not decrypted here. */
export function refuseVault(at: string): never {
  throw new SakError('invalid-inventory', `${at}: encrypted by ansible-vault, which is not supported`, {
    hint: 'Move the secret out: --ask-become-pass, a key file, or an inventory in TypeScript that reads it from where it is kept.',
  })
}

/** Refuses a file that is encrypted as a whole. */
export function refuseVaultText(text: string, file: string): void {
  if (text.trimStart().startsWith('$ANSIBLE_VAULT;')) refuseVault(file)
}
