import { studyIndexContract } from "../../radiology/archive/study-index.contract.ts";
import { createMemoryStudyIndex } from "./index.ts";

studyIndexContract(async () => createMemoryStudyIndex());
