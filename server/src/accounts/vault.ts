import type { Vault } from '../store/tx.ts'
import { seal, unseal } from './seal.ts'

/** Secrets under one key. */
export const newVault = (key: Buffer): Vault => ({
  seal: (plain) => seal(key, plain),
  unseal: (sealed) => unseal(key, sealed),
})
