// The journey of a backport as GitHub's own JavaScript client walks it. Prints what it saw as one JSON object.
// Arguments: the API's base URL, the repository. The token comes in the environment, never on the command line.

import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

// The package lies in a cache folder, not beside this file.
const resolve = createRequire(`${process.env.NODE_MODULES}/`).resolve;
const { Octokit } = await import(pathToFileURL(resolve("@octokit/rest")).href);

const [baseUrl, fullName] = process.argv.slice(2);
const [owner, repo] = fullName.split("/");
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const octokit = new Octokit({ auth: process.env.GITHUB_TOKEN, baseUrl, log: quiet });
const here = { owner, repo };

async function refusal(promise) {
  try {
    await promise;
    return "no refusal";
  } catch (error) {
    return [error.status, error.response.data.errors?.[0]?.message ?? error.response.data.message];
  }
}

const seen = {};
seen.login = (await octokit.users.getAuthenticated()).data.login;
seen.original = (await octokit.pulls.get({ ...here, pull_number: 7 })).data.merged;
const comments = { ...here, issue_number: 7 };
for (let n = 0; n < 105; n += 1) await octokit.issues.createComment({ ...comments, body: `comment ${n}` });
const all = await octokit.paginate(octokit.issues.listComments, { ...comments, per_page: 50 });
seen.comments = all.map((comment) => comment.body);
const asked = { ...here, comment_id: all[0].id };
await octokit.reactions.createForIssueComment({ ...asked, content: "eyes" });
seen.reactions = (await octokit.reactions.listForIssueComment(asked)).data.map((reaction) => reaction.content);
seen.permission = (await octokit.repos.getCollaboratorPermissionLevel({ ...here, username: "mia" })).data.role_name;

const base = (await octokit.git.getRef({ ...here, ref: "heads/release/v1" })).data.object.sha;
const parent = (await octokit.git.getCommit({ ...here, commit_sha: base })).data;
const entry = { path: "fix.py", mode: "100644", type: "blob", content: "fixed = True\n" };
const tree = (await octokit.git.createTree({ ...here, base_tree: parent.tree.sha, tree: [entry] })).data.sha;
const commit = { ...here, message: "Fix", tree, parents: [base] };
const sha = (await octokit.git.createCommit(commit)).data.sha;
const ref = { ...here, ref: "refs/heads/backport/7", sha };
await octokit.git.createRef(ref);
seen.refExists = await refusal(octokit.git.createRef(ref));

const wish = { ...here, title: "Backport", body: "Proof", head: "backport/7", base: "release/v1" };
const pull = (await octokit.pulls.create(wish)).data;
const one = { ...here, pull_number: pull.number };
seen.duplicate = await refusal(octokit.pulls.create(wish));
seen.found = (await octokit.pulls.list({ ...here, head: `${owner}:backport/7` })).data.map((item) => item.number);
await octokit.issues.addLabels({ ...here, issue_number: pull.number, labels: ["backport release/v1"] });
await octokit.issues.removeLabel({ ...here, issue_number: pull.number, name: "backport release/v1" });
const output = { title: "12 of 12", summary: "proven" };
await octokit.checks.create({ ...here, name: "suite", head_sha: sha, conclusion: "success", output });
seen.checks = (await octokit.checks.listForRef({ ...here, ref: sha })).data.check_runs.map((run) => run.conclusion);
seen.files = (await octokit.pulls.listFiles(one)).data.map((file) => file.filename);
seen.graphql = (await octokit.graphql("query($id: ID!) { node(id: $id) { ... on PullRequest { isDraft } } }", {
  id: pull.node_id,
})).node;
seen.merged = (await octokit.pulls.merge({ ...one, merge_method: "rebase" })).data.merged;
seen.tip = (await octokit.repos.getBranch({ ...here, branch: "release/v1" })).data.commit.commit.message;
console.log(JSON.stringify(seen));
