import { storeContract } from './contract.ts'
import { openPlace } from './place.ts'

storeContract('disk', () => openPlace('disk'))
