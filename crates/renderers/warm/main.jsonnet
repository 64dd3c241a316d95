local name = std.extVar('name');
[
  { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: name }, data: { words: std.join(',', ['a', 'b']), size: '%d' % std.length(name) } },
]
