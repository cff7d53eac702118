/**
 * Descriptors cleaned of what identifies (PS3.15 §E.3.6): only words of this list, and small numbers, stay. What nobody has put on it may
 * be a name.
 */
const known: ReadonlySet<string> = new Set(
  `
  abdomen abdominal acetabulum acquisition acute adc adrenal angio angiogram angiography ankle anterior aorta aortic ap apical appendix arch
  arterial artery arthrogram average ax axial axilla b0 ball baseline basilar bilateral biliary biopsy bladder bolus bone bones both bowel
  brain breast breath bronchial calcaneus calibration cardiac care carotid cavity cc cerebral cervical chest cine clavicle coil colon
  collimation contrast cor coronal coronary corrected cranial cranium ct cta cubitus delayed dental dental derived diaphragm diffusion
  dixon dose dorsal dual duodenum dwi dynamic echo elbow enhanced epi equilibrium esophagus expiration exam extremity face fast fat
  fatsat fda femoral femur fetal fetus fiesta fibula field finger flair flash flexion fluid fluoro fluoroscopy foot foramen forearm
  frame frames frontal fse fundus fusion gallbladder gradient gre hand head heart hematoma hepatic hip high hr humerus iliac image
  images imaging in inferior inspiration intensity internal intravenous inversion iv joint kidney kidneys knee kv kvp large larynx lat
  lateral left leg ligament limb liver lobe localizer localiser long low lower lumbar lung lungs lymph ma mammo mammogram mammography
  mandible map mas maxilla maxillofacial mean measurement medial mediastinum meniscus mip mid minip mlo mpr mr mra mrcp mri mrv muscle
  myocardial nasal navigator neck nerve noise non nuclear oblique occipital optic orbit orbits out ovary pa pancreas panoramic parallel
  parotid patella pelvic pelvis perfusion pet phase phantom pituitary plain planar plane portal portable post posterior pre prone prostate
  proton protocol proximal pulmonary radial radius recon reconstruction rectum reformat renal report rest retro rib ribs right routine
  sacral sacrum sag sagittal scan scanogram scapula scout screening se sella sequence series shoulder sinus sinuses skull slice slices
  small soft spectral spgr spin spine spiral spleen standard standing std stealth sternum stir stomach stress subtraction superior supine
  survey swi t1 t1w t2 t2w temporal test thick thin thigh thoracic thorax throat thumb thyroid tibia time tissue toe tof topogram tomo
  tongue trace tracer trachea transverse tse turbo ultrasound unenhanced upper ureter urethra urinary us uterus vascular vein venous
  ventral ventricle vertebra vessel view views volume water wb weighted whole window with without wo wrist xr xray
  `
    .trim()
    .split(/\s+/),
);

const measure = /^\d{1,2}([.,]\d{1,2})?(mm|cm|d|deg|s|sec|min)?$/;

/** Without the words that nobody knows; "" where none is left. */
export function cleanedText(text: string): string {
  return text
    .split(/[^\p{L}\p{N}.,]+/u)
    .filter((word) => known.has(word.toLowerCase()) || measure.test(word.toLowerCase()))
    .join(" ");
}
