/** The pages of the site in the order of its sidebar. A test says when a file of docs/ is missing here. */
export const SECTIONS = [
  {
    text: 'Begin',
    pages: [
      'start',
      'tasks',
      'rooms',
      'consumers',
      'recipes',
      'browser',
      'frameworks-client',
      'frameworks',
      'testing',
      'troubleshooting',
      'coming-from',
    ],
  },
  {
    text: 'Understand',
    pages: ['concepts', 'delivery', 'limits', 'security', 'comparison', 'scale', 'benchmark'],
  },
  {
    text: 'Run',
    pages: ['deployment', 'relay', 'migration-tools', 'operations', 'admin', 'own-event-model'],
  },
  {
    text: 'Reference',
    pages: ['sql', 'errors', 'http', 'configuration', 'cli'],
  },
];
