// What jsforce and the Salesforce CLI's core find at an address. Prints "ok NAME" for each call that is served.
const [, , url, token] = process.argv;

async function step(name, call, good) {
  try {
    const answer = await call();
    console.log(good(answer) ? `ok ${name}` : `WRONG ${name}: ${JSON.stringify(answer)}`);
    return answer;
  } catch (error) {
    console.log(`FAILED ${name}: ${error.errorCode || error.name}: ${error.message}`);
  }
}

async function jsforce() {
  const jsforce = require("jsforce");
  const connection = new jsforce.Connection({ instanceUrl: url, accessToken: token, version: "66.0" });
  const made = await step("create", () => connection.sobject("Account").create({ Name: "Acorn" }), (a) => a.success);
  await step("retrieve", () => connection.sobject("Account").retrieve(made.id), (a) => a.Name === "Acorn");
  await step("update", () => connection.sobject("Account").update({ Id: made.id, Phone: "555-0100" }), (a) => a.success);
  const rows = [...Array(3).keys()].map((n) => ({ LastName: `L${n}`, AccountId: made.id, crmseed_key__c: `k${n}` }));
  const several = await step("create several", () => connection.sobject("Contact").create(rows), (a) => a.length === 3 && a.every((each) => each.success));
  const ids = several.map((each) => each.id);
  await step("retrieve several", () => connection.sobject("Contact").retrieve(ids), (a) => a.map((each) => each.LastName).join() === "L0,L1,L2");
  await step("refused row", () => connection.sobject("Contact").create([{ FirstName: "x" }], { allOrNone: false }), (a) => !a[0].success && a[0].errors[0].statusCode === "REQUIRED_FIELD_MISSING");
  await step("upsert", () => connection.sobject("Contact").upsert({ crmseed_key__c: "k0", LastName: "New" }, "crmseed_key__c"), (a) => a.success && !a.created);
  await step("query", () => connection.query(`SELECT Id, Account.Name FROM Contact WHERE AccountId = '${made.id}' ORDER BY LastName`), (a) => a.totalSize === 3 && a.records[0].Account.Name === "Acorn");
  await step("count", () => connection.query("SELECT count() FROM Contact"), (a) => a.totalSize === 3);
  await step("find", () => connection.sobject("Contact").find({ LastName: { $like: "L%" } }, ["Id", "LastName"]).sort({ LastName: -1 }).limit(1), (a) => a[0].LastName === "L2");
  await step("pages", async () => {
    const found = [];
    let page = await connection.query("SELECT Id FROM Contact", { autoFetch: false, headers: { "Sforce-Query-Options": "batchSize=200" } });
    found.push(...page.records);
    while (!page.done) { page = await connection.queryMore(page.nextRecordsUrl); found.push(...page.records); }
    return found;
  }, (a) => a.length === 3);
  await step("describe", () => connection.sobject("Opportunity").describe(), (a) => a.fields.some((f) => f.name === "StageName" && f.picklistValues.length > 5));
  await step("describe global", () => connection.describeGlobal(), (a) => a.sobjects.some((o) => o.name === "Campaign"));
  await step("identity", () => connection.identity(), (a) => a.organization_id.startsWith("00D"));
  await step("limits", () => connection.request("/limits"), (a) => a.DailyApiRequests.Max > 0);
  await step("composite", () => connection.requestPost("/composite", { compositeRequest: [
    { method: "POST", url: "/services/data/v66.0/sobjects/Account", referenceId: "a", body: { Name: "B" } },
    { method: "POST", url: "/services/data/v66.0/sobjects/Contact", referenceId: "c", body: { LastName: "C", AccountId: "@{a.id}" } },
  ] }), (a) => a.compositeResponse.every((each) => each.httpStatusCode === 201));
  await step("destroy several", () => connection.sobject("Contact").destroy(ids), (a) => a.every((each) => each.success));
  await step("destroy", () => connection.sobject("Account").destroy(made.id), (a) => a.success);
  await step("gone", async () => { try { await connection.sobject("Account").retrieve(made.id); } catch (error) { return error.errorCode; } }, (a) => a === "NOT_FOUND");
}

async function core() {
  const { AuthInfo, Connection, Org } = require("@salesforce/core");
  const auth = await step("core: sign in", () => AuthInfo.create({ accessTokenOptions: { accessToken: token, instanceUrl: url, loginUrl: url } }), (a) => Boolean(a));
  const connection = await step("core: connect", () => Connection.create({ authInfo: auth }), (a) => Boolean(a));
  await step("core: version", () => connection.retrieveMaxApiVersion(), (a) => Number(a) >= 66);
  const org = await step("core: org", () => Org.create({ connection }), (a) => a.getOrgId().startsWith("00D"));
  await step("core: sandbox", () => org.isSandbox(), (a) => a === true || a === false);
  await step("core: query", () => connection.query("SELECT Name, InstanceName, IsSandbox, TrialExpirationDate, NamespacePrefix, OrganizationType FROM Organization"), (a) => a.records[0].IsSandbox === true);
  await step("core: create", () => connection.sobject("Account").create({ Name: "Core" }), (a) => a.success);
}

jsforce().then(core).then(() => process.exit(0), (error) => { console.log(`FAILED: ${error.stack}`); process.exit(1); });
