import type { Command } from "../arguments.ts";
import { auditExport, auditProve, auditVerify } from "./audit.ts";
import { vaultBackup, vaultDrill, vaultRestore } from "./backup.ts";
import { vaultCompact, vaultConfirmClock, vaultDiscardConflict, vaultHold, vaultHolds, vaultScrub } from "./care.ts";
import { clientAdd, clientKeysRotate, clientList, clientRemove } from "./clients.ts";
import { confirmationList, confirmationWait, confirmationWithdraw } from "./confirmations.ts";
import { patientCorrect, patientMerge, studyCorrect, studyCorrections, studyMove } from "./corrections.ts";
import { deviceAdd, deviceEcho, deviceList, deviceRemove } from "./devices.ts";
import { edgeRotateKey } from "./edge-keys.ts";
import { edgeAdd, edgeEnroll, edgeList, edgeRemove, edgeRenew, edgeRevoke, edgeStatus } from "./edges.ts";
import { exportStudies } from "./export.ts";
import { facilityAdd, facilityList, facilityRename, studyPlaces } from "./facilities.ts";
import { grantAdd, grantEnd, grantList } from "./grants.ts";
import { idpAdd, idpList, idpRemove } from "./identity-providers.ts";
import { importFiles } from "./import.ts";
import { init } from "./init.ts";
import { vaultRecover, vaultRecoveryKit, vaultRotate } from "./keys.ts";
import {
  messageCancel,
  messageReplay,
  messageShow,
  messages,
  partnerList,
  partnerPause,
  partnerResume,
  partnerSet,
} from "./messages.ts";
import {
  migrateFollow,
  migrateList,
  migratePause,
  migrateRemove,
  migrateReport,
  migrateResume,
  migrateStart,
  migrateStop,
} from "./migrations.ts";
import { release, status, token } from "./operations.ts";
import {
  patientDisclosures,
  patientMark,
  patientMarked,
  patientUnmark,
  reviewList,
  shareAdd,
  shareEnd,
  shareList,
  studyLooks,
  userDescribe,
} from "./oversight.ts";
import { routeAdd, routeChange, routeList, routeRemove, routeTry } from "./routing.ts";
import { vaultCertificate, vaultShred } from "./shred.ts";
import { start } from "./start.ts";
import { tenantAdd, tenantList, tenantRemove } from "./tenants.ts";
import { fetchStudy, findAt, send, transferCancel, transferRetry, transfers } from "./transfers.ts";
import { userAdd, userList, userRecover, userRemove } from "./users.ts";
import { vaultCheck, vaultRebuild } from "./vault.ts";
import { witnessInit, witnessRun } from "./witness.ts";
import { worklistList, worklistRemove } from "./worklist.ts";

export const commands: readonly Command[] = [
  init,
  start,
  status,
  tenantAdd,
  tenantList,
  tenantRemove,
  release,
  deviceAdd,
  deviceList,
  deviceRemove,
  deviceEcho,
  edgeAdd,
  edgeList,
  edgeRevoke,
  edgeRotateKey,
  edgeRemove,
  edgeEnroll,
  edgeStatus,
  edgeRenew,
  facilityAdd,
  facilityList,
  facilityRename,
  userAdd,
  userList,
  userRemove,
  userRecover,
  idpAdd,
  idpList,
  idpRemove,
  userDescribe,
  shareAdd,
  shareList,
  shareEnd,
  reviewList,
  studyLooks,
  patientDisclosures,
  patientMark,
  patientMarked,
  patientUnmark,
  grantAdd,
  grantList,
  grantEnd,
  clientAdd,
  clientList,
  clientRemove,
  clientKeysRotate,
  confirmationList,
  confirmationWait,
  confirmationWithdraw,
  token,
  importFiles,
  worklistList,
  worklistRemove,
  send,
  fetchStudy,
  findAt,
  transfers,
  transferRetry,
  transferCancel,
  routeList,
  routeAdd,
  routeChange,
  routeRemove,
  routeTry,
  migrateStart,
  migrateList,
  migrateFollow,
  migratePause,
  migrateResume,
  migrateStop,
  migrateReport,
  migrateRemove,
  partnerList,
  partnerSet,
  partnerPause,
  partnerResume,
  messages,
  messageShow,
  messageReplay,
  messageCancel,
  exportStudies,
  studyCorrect,
  studyMove,
  studyCorrections,
  studyPlaces,
  patientCorrect,
  patientMerge,
  vaultCheck,
  vaultRebuild,
  vaultScrub,
  vaultCompact,
  vaultDiscardConflict,
  vaultHold,
  vaultHolds,
  vaultConfirmClock,
  vaultShred,
  vaultCertificate,
  vaultRotate,
  vaultRecoveryKit,
  vaultRecover,
  vaultBackup,
  vaultRestore,
  vaultDrill,
  auditVerify,
  auditExport,
  auditProve,
  witnessInit,
  witnessRun,
];
