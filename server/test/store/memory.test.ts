import { storeContract } from './contract.ts'
import { openPlace } from './place.ts'

storeContract('memory', () => openPlace('memory'))
