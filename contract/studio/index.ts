export { studioUnserved } from './unserved.ts'
