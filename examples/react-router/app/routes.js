import { index, route } from '@react-router/dev/routes';

export default [index('routes/lobby.jsx'), route('realtime/*', 'routes/realtime.js')];
