// Calls of HubSpot's own Node client against the local portal: prints a line for each, and fails for none itself.
const { Client } = require('@hubspot/api-client');
const [,, base, token] = process.argv;
const c = new Client({ accessToken: token, basePath: base });
const ok = (name, cond, extra='') => console.log((cond ? 'ok   ' : 'FAIL ') + name + ' ' + extra);
(async () => {
  const run = async (name, f) => { try { const r = await f(); ok(name, true); return r; } catch (e) { ok(name, false, (e.code||'') + ' ' + JSON.stringify(e.body||String(e)).slice(0,300)); } };
  const company = await run('company create', () => c.crm.companies.basicApi.create({properties:{name:'Acorn', domain:'acorn.example'}}));
  const contact = await run('contact create with association', () => c.crm.contacts.basicApi.create({properties:{email:'A@example.com', firstname:'A'}, associations:[{to:{id:company.id}, types:[{associationCategory:'HUBSPOT_DEFINED', associationTypeId:279}]}]}));
  await run('get by id with associations', async () => { const r = await c.crm.contacts.basicApi.getById(contact.id, ['email','firstname'], undefined, ['companies'], false); if (!r.associations.companies) throw new Error('no associations'); });
  await run('get by email', () => c.crm.contacts.basicApi.getById('a@example.com', undefined, undefined, undefined, false, 'email'));
  await run('update', () => c.crm.contacts.basicApi.update(contact.id, {properties:{firstname:'B'}}));
  await run('batch create', () => c.crm.contacts.batchApi.create({inputs:[{associations:[], objectWriteTraceId:'x1', properties:{email:'b@example.com'}}]}));
  await run('batch read', () => c.crm.contacts.batchApi.read({propertiesWithHistory:[], inputs:[{id:contact.id}], properties:['email']}));
  await run('batch upsert', () => c.crm.contacts.batchApi.upsert({inputs:[{idProperty:'email', id:'c@example.com', properties:{firstname:'A', email:'c@example.com'}}]}));
  await run('search', async () => { const r = await c.crm.contacts.searchApi.doSearch({limit:10, after:'0', sorts:[], properties:['email'], filterGroups:[{filters:[{propertyName:'email', value:'a@example.com', operator:'EQ'}]}]}); if (r.total !== 1) throw new Error('total ' + r.total); });
  await run('v4 batch create', () => c.crm.associations.v4.batchApi.create('contacts','companies',{inputs:[{types:[{associationCategory:'HUBSPOT_DEFINED', associationTypeId:279}], _from:{id:contact.id}, to:{id:company.id}}]}));
  await run('v4 default', () => c.crm.associations.v4.batchApi.createDefault('contacts','companies',{inputs:[{_from:{id:contact.id}, to:{id:company.id}}]}));
  await run('v4 batch read', () => c.crm.associations.v4.batchApi.getPage('contacts','companies',{inputs:[{id:contact.id}]}));
  await run('v4 archive', () => c.crm.associations.v4.batchApi.archive('contacts','companies',{inputs:[{_from:{id:contact.id}, to:[{id:company.id}]}]}));
  await run('properties', async () => { const r = await c.crm.properties.coreApi.getAll('contacts'); if (!r.results.length) throw new Error('none'); });
  await run('property groups', () => c.crm.properties.groupsApi.getAll('contacts'));
  await run('property create', () => c.crm.properties.coreApi.create('contacts', {name:'tier', label:'Tier', type:'enumeration', fieldType:'select', groupName:'contactinformation', options:[{label:'Gold', value:'gold', displayOrder:0, hidden:false}]}));
  await run('pipelines', () => c.crm.pipelines.pipelinesApi.getAll('deals'));
  await run('pipeline create', () => c.crm.pipelines.pipelinesApi.create('deals', {label:'Second', displayOrder:1, stages:[{label:'New', displayOrder:0, metadata:{probability:'0.1'}},{label:'Won', displayOrder:1, metadata:{probability:'1.0'}}]}));
  await run('owners', () => c.crm.owners.ownersApi.getPage());
  await run('schemas create', () => c.crm.schemas.coreApi.create({name:'car', labels:{singular:'Car', plural:'Cars'}, primaryDisplayProperty:'model', requiredProperties:['model'], searchableProperties:['model'], properties:[{name:'model', label:'Model', type:'string', fieldType:'text'}], associatedObjects:['CONTACT']}));
  await run('schemas list', async () => { const r = await c.crm.schemas.coreApi.getAll(); if (r.results.length !== 1) throw new Error('n ' + r.results.length); });
  await run('custom object create', () => c.crm.objects.basicApi.create('car', {properties:{model:'T'}}));
  await run('custom object by type id', async () => {
    const [schema] = (await c.crm.schemas.coreApi.getAll()).results;
    const page = await c.crm.objects.basicApi.getPage(schema.objectTypeId);
    if (page.results.length !== 1) throw new Error('n ' + page.results.length);
  });
  await run('labels', () => c.crm.associations.v4.schema.definitionsApi.getAll('contacts','companies'));
  await run('deal create', () => c.crm.deals.basicApi.create({properties:{dealname:'D', dealstage:'closedwon', pipeline:'default', amount:'5'}}));
  await run('ticket create', () => c.crm.tickets.basicApi.create({properties:{subject:'T', hs_pipeline:'0', hs_pipeline_stage:'1'}}));
  await run('note create', () => c.crm.objects.notes.basicApi.create({properties:{hs_timestamp:'2026-01-01T00:00:00Z', hs_note_body:'x'}}));
  await run('line item', () => c.crm.lineItems.basicApi.create({properties:{name:'L', quantity:'1', price:'2'}}));
  await run('merge', async () => {
    const other = await c.crm.contacts.basicApi.create({properties:{email:'m@example.com'}});
    await c.crm.contacts.basicApi.merge({primaryObjectId: contact.id, objectIdToMerge: other.id});
  });
  await run('gdpr', () => c.crm.contacts.basicApi.purge({objectId:'b@example.com', idProperty:'email'}));
  await run('list deals via apiRequest', async () => { const r = await c.apiRequest({method:'GET', path:'/crm/v3/objects/deals', qs:{limit:1}}); const j = await r.json(); if (!j.results) throw new Error(JSON.stringify(j)); });
  await run('token info via apiRequest', async () => { const r = await c.apiRequest({method:'POST', path:'/oauth/v2/private-apps/get/access-token-info', body:{tokenKey: token}}); const j = await r.json(); if (!j.scopes.length) throw new Error(JSON.stringify(j)); });
  await run('batch archive', () => c.crm.contacts.batchApi.archive({inputs:[{id:contact.id}]}));
  await run('delete', () => c.crm.companies.basicApi.archive(company.id));
  try { await c.crm.contacts.basicApi.getById(contact.id); ok('404 after archive', false);} catch (e) { ok('404 after archive', e.code === 404, String(e.code)); }
  try { await c.crm.contacts.basicApi.create({properties:{nonsense:'x'}}); ok('400', false);} catch (e) { ok('400 body parsed', e.code === 400 && e.body.category === 'VALIDATION_ERROR', ''); }
})();
