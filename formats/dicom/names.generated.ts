// Written by tools/generators/dicom/generate.ts; do not edit.

/** Attribute names that are not simply the words of the keyword: keyword, tab, name. */
export const nameLines: string = `\
FileSetID	File-set ID
FileSetDescriptorFileID	File-set Descriptor File ID
SpecificCharacterSetOfFileSetDescriptorFile	Specific Character Set of File-set Descriptor File
OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity	Offset of the First Directory Record of the Root Directory Entity
OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity	Offset of the Last Directory Record of the Root Directory Entity
FileSetConsistencyFlag	File-set Consistency Flag
OffsetOfTheNextDirectoryRecord	Offset of the Next Directory Record
RecordInUseFlag	Record In-use Flag
OffsetOfReferencedLowerLevelDirectoryEntity	Offset of Referenced Lower-Level Directory Entity
ReferencedSOPClassUIDInFile	Referenced SOP Class UID in File
ReferencedSOPInstanceUIDInFile	Referenced SOP Instance UID in File
ReferencedTransferSyntaxUIDInFile	Referenced Transfer Syntax UID in File
ReferencedRelatedGeneralSOPClassUIDInFile	Referenced Related General SOP Class UID in File
NumberOfReferences	Number of References
LengthToEnd	Length to End
InstanceCoercionDateTime	Instance Coercion DateTime
AcquisitionDateTime	Acquisition DateTime
IssuerOfAccessionNumberSequence	Issuer of Accession Number Sequence
QueryRetrieveLevel	Query/Retrieve Level
QueryRetrieveView	Query/Retrieve View
ModalitiesInStudy	Modalities in Study
SOPClassesInStudy	SOP Classes in Study
AnatomicRegionsInStudyCodeSequence	Anatomic Regions in Study Code Sequence
ReferringPhysicianName	Referring Physician's Name
ReferringPhysicianAddress	Referring Physician's Address
ReferringPhysicianTelephoneNumbers	Referring Physician's Telephone Numbers
ConsultingPhysicianName	Consulting Physician's Name
ManufacturerRelatedModelGroup	Manufacturer's Related Model Group
PrivateDataElementNumberOfItems	Private Data Element Number of Items
ScopeOfInventorySequence	Scope of Inventory Sequence
ItemInventoryDateTime	Item Inventory DateTime
RemovedFromOperationalUse	Removed from Operational Use
ReasonForRemovalCodeSequence	Reason for Removal Code Sequence
FilenameInContainer	Filename in Container
FileOffsetInContainer	File Offset in Container
FileLengthInContainer	File Length in Container
ListOfUIDMatchingSequence	List of UID Matching Sequence
ExpirationDateTime	Expiration DateTime
StudyUpdateDateTime	Study Update DateTime
NumberOfStudyRecordsInInstance	Number of Study Records in Instance
TotalNumberOfStudyRecords	Total Number of Study Records
MaximumNumberOfRecords	Maximum Number of Records
PhysiciansOfRecord	Physician(s) of Record
PhysiciansOfRecordIdentificationSequence	Physician(s) of Record Identification Sequence
PerformingPhysicianName	Performing Physician's Name
NameOfPhysiciansReadingStudy	Name of Physician(s) Reading Study
PhysiciansReadingStudyIdentificationSequence	Physician(s) Reading Study Identification Sequence
OperatorsName	Operators' Name
ManufacturerModelName	Manufacturer's Model Name
ReferencedInstancesBySOPClassSequence	Referenced Instances by SOP Class Sequence
MultiFrameSourceSOPInstanceUID	Multi-frame Source SOP Instance UID
LossyImageCompressionRetired	Lossy Image Compression (Retired)
NumberOfStages	Number of Stages
NumberOfEventTimers	Number of Event Timers
NumberOfViewsInStage	Number of Views in Stage
EventElapsedTimes	Event Elapsed Time(s)
EventTimerNames	Event Timer Name(s)
AnatomicStructureSpaceOrRegionSequence	Anatomic Structure, Space or Region Sequence
AnatomicStructureSpaceOrRegionCodeSequenceTrial	Anatomic Structure Space Or Region Code Sequence (Trial)
AnatomicPortalOfEntranceCodeSequenceTrial	Anatomic Portal Of Entrance Code Sequence (Trial)
AnatomicApproachDirectionCodeSequenceTrial	Anatomic Approach Direction Code Sequence (Trial)
AnatomicPerspectiveDescriptionTrial	Anatomic Perspective Description (Trial)
AnatomicPerspectiveCodeSequenceTrial	Anatomic Perspective Code Sequence (Trial)
AnatomicLocationOfExaminingInstrumentDescriptionTrial	Anatomic Location Of Examining Instrument Description (Trial)
AnatomicLocationOfExaminingInstrumentCodeSequenceTrial	Anatomic Location Of Examining Instrument Code Sequence (Trial)
AnatomicStructureSpaceOrRegionModifierCodeSequenceTrial	Anatomic Structure Space Or Region Modifier Code Sequence (Trial)
OnAxisBackgroundAnatomicStructureCodeSequenceTrial	On Axis Background Anatomic Structure Code Sequence (Trial)
CreatorVersionUID	Creator-Version UID
RecommendedDisplayFrameRateInFloat	Recommended Display Frame Rate in Float
PatientName	Patient's Name
IssuerOfPatientID	Issuer of Patient ID
TypeOfPatientID	Type of Patient ID
IssuerOfPatientIDQualifiersSequence	Issuer of Patient ID Qualifiers Sequence
GroupOfPatientsIdentificationSequence	Group of Patients Identification Sequence
SubjectRelativePositionInImage	Subject Relative Position in Image
PatientBirthDate	Patient's Birth Date
PatientBirthTime	Patient's Birth Time
PatientBirthDateInAlternativeCalendar	Patient's Birth Date in Alternative Calendar
PatientDeathDateInAlternativeCalendar	Patient's Death Date in Alternative Calendar
PatientAlternativeCalendar	Patient's Alternative Calendar
PatientSex	Patient's Sex
PatientInsurancePlanCodeSequence	Patient's Insurance Plan Code Sequence
PatientPrimaryLanguageCodeSequence	Patient's Primary Language Code Sequence
PatientPrimaryLanguageModifierCodeSequence	Patient's Primary Language Modifier Code Sequence
OtherPatientIDs	Other Patient IDs
OtherPatientIDsSequence	Other Patient IDs Sequence
PatientBirthName	Patient's Birth Name
PatientAge	Patient's Age
PatientSize	Patient's Size
PatientSizeCodeSequence	Patient's Size Code Sequence
PatientBodyMassIndex	Patient's Body Mass Index
PatientWeight	Patient's Weight
PatientAddress	Patient's Address
PatientMotherBirthName	Patient's Mother's Birth Name
BranchOfService	Branch of Service
CountryOfResidence	Country of Residence
RegionOfResidence	Region of Residence
PatientTelephoneNumbers	Patient's Telephone Numbers
PatientTelecomInformation	Patient's Telecom Information
PatientReligiousPreference	Patient's Religious Preference
PatientSexNeutered	Patient's Sex Neutered
IssuerOfClinicalTrialProtocolID	Issuer of Clinical Trial Protocol ID
OtherClinicalTrialProtocolIDsSequence	Other Clinical Trial Protocol IDs Sequence
IssuerOfClinicalTrialSiteID	Issuer of Clinical Trial Site ID
IssuerOfClinicalTrialSubjectID	Issuer of Clinical Trial Subject ID
IssuerOfClinicalTrialSubjectReadingID	Issuer of Clinical Trial Subject Reading ID
LongitudinalTemporalOffsetFromEvent	Longitudinal Temporal Offset from Event
IssuerOfClinicalTrialTimePointID	Issuer of Clinical Trial Time Point ID
DeidentificationMethod	De-identification Method
DeidentificationMethodCodeSequence	De-identification Method Code Sequence
IssuerOfClinicalTrialSeriesID	Issuer of Clinical Trial Series ID
ConsentForClinicalTrialUseSequence	Consent for Clinical Trial Use Sequence
ConsentForDistributionFlag	Consent for Distribution Flag
MaterialPropertiesFileFormatRetired	Material Properties File Format (Retired)
ComponentWelderIDs	Component Welder IDs
CoordinateSystemNumberOfAxes	Coordinate System Number of Axes
TransformNumberOfAxes	Transform Number of Axes
TransformOrderOfAxes	Transform Order of Axes
CoordinateSystemTransformRotationAndScaleMatrix	Coordinate System Transform Rotation and Scale Matrix
NumberOfFramesIntegrated	Number of Frames Integrated
HorizontalOffsetOfSensor	Horizontal Offset of Sensor
VerticalOffsetOfSensor	Vertical Offset of Sensor
KVUsedInGainCalibration	KV Used in Gain Calibration
MAUsedInGainCalibration	MA Used in Gain Calibration
NumberOfFramesUsedForIntegration	Number of Frames Used for Integration
FilterMaterialUsedInGainCalibration	Filter Material Used in Gain Calibration
FilterThicknessUsedInGainCalibration	Filter Thickness Used in Gain Calibration
DateOfGainCalibration	Date of Gain Calibration
TimeOfGainCalibration	Time of Gain Calibration
PreAmplifierEquipmentSequence	Pre-Amplifier Equipment Sequence
PreAmplifierNotes	Pre-Amplifier Notes
NumberOfElements	Number of Elements
LocationOfMeasuredBeamDiameter	Location of Measured Beam Diameter
PreAmplifierSettingsSequence	Pre-Amplifier Settings Sequence
VelocityOfSound	Velocity of Sound
WedgeElement1Position	Wedge Element 1 Position
RadiusAlongWedge	Radius Along the Wedge
ExposureTimeInSeconds	Exposure Time in Seconds
FNumber	F-Number
ISOSpeedLatitudeyyy	ISO Speed Latitude yyy
ISOSpeedLatitudezzz	ISO Speed Latitude zzz
FocalLengthIn35mmFilm	Focal Length In 35mm Film
GPSDOP	GPS DOP
ContrastBolusAgent	Contrast/Bolus Agent
ContrastBolusAgentSequence	Contrast/Bolus Agent Sequence
ContrastBolusT1Relaxivity	Contrast/Bolus T1 Relaxivity
ContrastBolusAdministrationRouteSequence	Contrast/Bolus Administration Route Sequence
NumberOfAverages	Number of Averages
EchoNumbers	Echo Number(s)
NumberOfPhaseEncodingSteps	Number of Phase Encoding Steps
PercentPhaseFieldOfView	Percent Phase Field of View
ManufacturerDeviceClassUID	Manufacturer's Device Class UID
DateOfSecondaryCapture	Date of Secondary Capture
TimeOfSecondaryCapture	Time of Secondary Capture
SecondaryCaptureDeviceManufacturerModelName	Secondary Capture Device Manufacturer's Model Name
HardcopyDeviceManufacturerModelName	Hardcopy Device Manufacturer's Model Name
ContrastBolusRoute	Contrast/Bolus Route
ContrastBolusVolume	Contrast/Bolus Volume
ContrastBolusStartTime	Contrast/Bolus Start Time
ContrastBolusStopTime	Contrast/Bolus Stop Time
ContrastBolusTotalDose	Contrast/Bolus Total Dose
ContrastBolusIngredient	Contrast/Bolus Ingredient
ContrastBolusIngredientConcentration	Contrast/Bolus Ingredient Concentration
TriggerSourceOrType	Trigger Source or Type
RadiopharmaceuticalStartDateTime	Radiopharmaceutical Start DateTime
RadiopharmaceuticalStopDateTime	Radiopharmaceutical Stop DateTime
LowRRValue	Low R-R Value
HighRRValue	High R-R Value
CardiacNumberOfImages	Cardiac Number of Images
DistanceSourceToDetector	Distance Source to Detector
DistanceSourceToPatient	Distance Source to Patient
GantryDetectorTilt	Gantry/Detector Tilt
GantryDetectorSlew	Gantry/Detector Slew
CenterOfRotationOffset	Center of Rotation Offset
FieldOfViewShape	Field of View Shape
FieldOfViewDimensions	Field of View Dimension(s)
XRayTubeCurrent	X-Ray Tube Current
ExposureInuAs	Exposure in µAs
ImageAndFluoroscopyAreaDoseProduct	Image and Fluoroscopy Area Dose Product
TypeOfFilters	Type of Filters
CollimatorGridName	Collimator/grid Name
FocalSpots	Focal Spot(s)
ContrastBolusAutoInjectionTriggerFlag	Contrast/Bolus Auto Injection Trigger Flag
ContrastBolusInjectionDelay	Contrast/Bolus Injection Delay
AcquisitionFieldOfViewLabel	Acquisition Field of View Label
XRayFilterDetailsSequence	X-Ray Filter Details Sequence
DateOfLastCalibration	Date of Last Calibration
TimeOfLastCalibration	Time of Last Calibration
DateTimeOfLastCalibration	DateTime of Last Calibration
CalibrationDateTime	Calibration DateTime
DateOfManufacture	Date of Manufacture
DateOfInstallation	Date of Installation
UpperLowerPixelValues	Upper/Lower Pixel Values
InPlanePhaseEncodingDirection	In-plane Phase Encoding Direction
dBdt	dB/dt
ExposuresOnPlate	Exposures on Plate
RelativeXRayExposure	Relative X-Ray Exposure
NumberOfTomosynthesisSourceImages	Number of Tomosynthesis Source Images
CenterOfCircularShutter	Center of Circular Shutter
RadiusOfCircularShutter	Radius of Circular Shutter
VerticesOfThePolygonalShutter	Vertices of the Polygonal Shutter
ShutterPresentationColorCIELabValue	Shutter Presentation Color CIELab Value
CenterOfCircularOutline	Center of Circular Outline
DiameterOfCircularOutline	Diameter of Circular Outline
NumberOfPolygonalVertices	Number of Polygonal Vertices
VerticesOfThePolygonalOutline	Vertices of the Polygonal Outline
CenterOfCircularCollimator	Center of Circular Collimator
RadiusOfCircularCollimator	Radius of Circular Collimator
VerticesOfThePolygonalCollimator	Vertices of the Polygonal Collimator
RotationOfScannedFilm	Rotation of Scanned Film
SoftTissueFocusThermalIndex	Soft Tissue-focus Thermal Index
SoftTissueSurfaceThermalIndex	Soft Tissue-surface Thermal Index
DepthOfScanField	Depth of Scan Field
SequenceOfUltrasoundRegions	Sequence of Ultrasound Regions
DopplerSampleVolumeXPositionRetired	Doppler Sample Volume X Position (Retired)
DopplerSampleVolumeYPositionRetired	Doppler Sample Volume Y Position (Retired)
TMLinePositionX0Retired	TM-Line Position X0 (Retired)
TMLinePositionX0	TM-Line Position X0
TMLinePositionY0Retired	TM-Line Position Y0 (Retired)
TMLinePositionY0	TM-Line Position Y0
TMLinePositionX1Retired	TM-Line Position X1 (Retired)
TMLinePositionX1	TM-Line Position X1
TMLinePositionY1Retired	TM-Line Position Y1 (Retired)
TMLinePositionY1	TM-Line Position Y1
NumberOfTableBreakPoints	Number of Table Break Points
TableOfXBreakPoints	Table of X Break Points
TableOfYBreakPoints	Table of Y Break Points
NumberOfTableEntries	Number of Table Entries
TableOfPixelValues	Table of Pixel Values
TableOfParameterValues	Table of Parameter Values
DateOfLastDetectorCalibration	Date of Last Detector Calibration
TimeOfLastDetectorCalibration	Time of Last Detector Calibration
ExposuresOnDetectorSinceLastCalibration	Exposures on Detector Since Last Calibration
ExposuresOnDetectorSinceManufactured	Exposures on Detector Since Manufactured
DetectorActiveDimensions	Detector Active Dimension(s)
DetectorManufacturerModelName	Detector Manufacturer's Model Name
FieldOfViewOrigin	Field of View Origin
FieldOfViewRotation	Field of View Rotation
FieldOfViewHorizontalFlip	Field of View Horizontal Flip
ExposureTimeInuS	Exposure Time in µS
XRayTubeCurrentInuA	X-Ray Tube Current in µA
MultiPlanarExcitation	Multi-planar Excitation
TimeOfFlightContrast	Time of Flight Contrast
SpatialPresaturation	Spatial Pre-saturation
GeometryOfKSpaceTraversal	Geometry of k-Space Traversal
SegmentedKSpaceTraversal	Segmented k-Space Traversal
MultiCoilDefinitionSequence	Multi-Coil Definition Sequence
MultiCoilConfiguration	Multi-Coil Configuration
MultiCoilElementName	Multi-Coil Element Name
MultiCoilElementUsed	Multi-Coil Element Used
Decoupling	De-coupling
DecoupledNucleus	De-coupled Nucleus
DecouplingFrequency	De-coupling Frequency
DecouplingMethod	De-coupling Method
DecouplingChemicalShiftReference	De-coupling Chemical Shift Reference
KSpaceFiltering	k-space Filtering
NumberOfZeroFills	Number of Zero Fills
ParallelReductionFactorInPlane	Parallel Reduction Factor In-plane
CardiacRRIntervalSpecified	Cardiac R-R Interval Specified
FrameAcquisitionDateTime	Frame Acquisition DateTime
DiffusionBValue	Diffusion b-value
NumberOfKSpaceTrajectories	Number of k-Space Trajectories
CoverageOfKSpace	Coverage of k-Space
ParallelReductionFactorInPlaneRetired	Parallel Reduction Factor In-plane (Retired)
MRSpectroscopyFOVGeometrySequence	MR Spectroscopy FOV/Geometry Sequence
MRTimingAndRelatedParametersSequence	MR Timing and Related Parameters Sequence
MRFOVGeometrySequence	MR FOV/Geometry Sequence
FrameReferenceDateTime	Frame Reference DateTime
ParallelReductionFactorOutOfPlane	Parallel Reduction Factor out-of-plane
SpectroscopyAcquisitionOutOfPlanePhaseSteps	Spectroscopy Acquisition Out-of-plane Phase Steps
ParallelReductionFactorSecondInPlane	Parallel Reduction Factor Second In-plane
ChemicalShiftMinimumIntegrationLimitInHz	Chemical Shift Minimum Integration Limit in Hz
ChemicalShiftMaximumIntegrationLimitInHz	Chemical Shift Maximum Integration Limit in Hz
MRAcquisitionPhaseEncodingStepsInPlane	MR Acquisition Phase Encoding Steps in-plane
MRAcquisitionPhaseEncodingStepsOutOfPlane	MR Acquisition Phase Encoding Steps out-of-plane
ASLBolusCutoffFlag	ASL Bolus Cut-off Flag
ASLBolusCutoffTimingSequence	ASL Bolus Cut-off Timing Sequence
ASLBolusCutoffTechnique	ASL Bolus Cut-off Technique
ASLBolusCutoffDelayTime	ASL Bolus Cut-off Delay Time
ChemicalShiftMinimumIntegrationLimitInppm	Chemical Shift Minimum Integration Limit in ppm
ChemicalShiftMaximumIntegrationLimitInppm	Chemical Shift Maximum Integration Limit in ppm
TableFeedPerRotation	Table Feed per Rotation
DataCollectionCenterPatient	Data Collection Center (Patient)
ReconstructionFieldOfView	Reconstruction Field of View
ReconstructionTargetCenterPatient	Reconstruction Target Center (Patient)
CTXRayDetailsSequence	CT X-Ray Details Sequence
ExposureTimeInms	Exposure Time in ms
XRayTubeCurrentInmA	X-Ray Tube Current in mA
ExposureInmAs	Exposure in mAs
DistanceSourceToDataCollectionCenter	Distance Source to Data Collection Center
ContrastBolusAgentNumber	Contrast/Bolus Agent Number
ContrastBolusIngredientCodeSequence	Contrast/Bolus Ingredient Code Sequence
ContrastBolusUsageSequence	Contrast/Bolus Usage Sequence
ContrastBolusAgentAdministered	Contrast/Bolus Agent Administered
ContrastBolusAgentDetected	Contrast/Bolus Agent Detected
ContrastBolusAgentPhase	Contrast/Bolus Agent Phase
CTDIvol	CTDIvol
CTAdditionalXRaySourceSequence	CT Additional X-Ray Source Sequence
MultienergyCTAcquisition	Multi-energy CT Acquisition
MultienergyCTAcquisitionSequence	Multi-energy CT Acquisition Sequence
MultienergyCTProcessingSequence	Multi-energy CT Processing Sequence
MultienergyCTCharacteristicsSequence	Multi-energy CT Characteristics Sequence
MultienergyCTXRaySourceSequence	Multi-energy CT X-Ray Source Sequence
XRaySourceIndex	X-Ray Source Index
XRaySourceID	X-Ray Source ID
MultienergySourceTechnique	Multi-energy Source Technique
SourceStartDateTime	Source Start DateTime
SourceEndDateTime	Source End DateTime
MultienergyCTXRayDetectorSequence	Multi-energy CT X-Ray Detector Sequence
XRayDetectorIndex	X-Ray Detector Index
XRayDetectorID	X-Ray Detector ID
MultienergyDetectorType	Multi-energy Detector Type
XRayDetectorLabel	X-Ray Detector Label
ReferencedXRayDetectorIndex	Referenced X-Ray Detector Index
ReferencedXRaySourceIndex	Referenced X-Ray Source Index
MultienergyCTPathSequence	Multi-energy CT Path Sequence
MultienergyCTPathIndex	Multi-energy CT Path Index
MultienergyAcquisitionDescription	Multi-energy Acquisition Description
XRayMassAttenuationCoefficient	X-Ray Mass Attenuation Coefficient
DistanceSourceToIsocenter	Distance Source to Isocenter
DistanceObjectToTableTop	Distance Object to Table Top
ObjectPixelSpacingInCenterOfBeam	Object Pixel Spacing in Center of Beam
PlanesInAcquisition	Planes in Acquisition
XAXRFFrameCharacteristicsSequence	XA/XRF Frame Characteristics Sequence
XRayReceptorType	X-Ray Receptor Type
ContrastBolusIngredientOpaque	Contrast/Bolus Ingredient Opaque
DistanceReceptorPlaneToDetectorHousing	Distance Receptor Plane to Detector Housing
IntensifierActiveDimensions	Intensifier Active Dimension(s)
PositionOfIsocenterProjection	Position of Isocenter Projection
FieldOfViewSequence	Field of View Sequence
FieldOfViewDescription	Field of View Description
CenterOfCircularExposureControlSensingRegion	Center of Circular Exposure Control Sensing Region
RadiusOfCircularExposureControlSensingRegion	Radius of Circular Exposure Control Sensing Region
VerticesOfThePolygonalExposureControlSensingRegion	Vertices of the Polygonal Exposure Control Sensing Region
ColumnAngulationPatient	Column Angulation (Patient)
FieldOfViewDimensionsInFloat	Field of View Dimension(s) in Float
TableXPositionToIsocenter	Table X Position to Isocenter
TableYPositionToIsocenter	Table Y Position to Isocenter
TableZPositionToIsocenter	Table Z Position to Isocenter
CArmPositionerTabletopRelationship	C-arm Positioner Tabletop Relationship
XRayGeometrySequence	X-Ray Geometry Sequence
XRay3DFrameTypeSequence	X-Ray 3D Frame Type Sequence
XRay3DAcquisitionSequence	X-Ray 3D Acquisition Sequence
StartAcquisitionDateTime	Start Acquisition DateTime
EndAcquisitionDateTime	End Acquisition DateTime
XRay3DReconstructionSequence	X-Ray 3D Reconstruction Sequence
XRayAcquisitionDoseSequence	X-Ray Acquisition Dose Sequence
XRaySourceIsocenterPrimaryAngle	X-Ray Source Isocenter Primary Angle
XRaySourceIsocenterSecondaryAngle	X-Ray Source Isocenter Secondary Angle
BreastSupportXPositionToIsocenter	Breast Support X Position to Isocenter
BreastSupportYPositionToIsocenter	Breast Support Y Position to Isocenter
BreastSupportZPositionToIsocenter	Breast Support Z Position to Isocenter
DetectorXPositionToIsocenter	Detector X Position to Isocenter
DetectorYPositionToIsocenter	Detector Y Position to Isocenter
DetectorZPositionToIsocenter	Detector Z Position to Isocenter
XRayGridSequence	X-Ray Grid Sequence
XRayFilterSequence	X-Ray Filter Sequence
DiffusionBMatrixSequence	Diffusion b-matrix Sequence
DiffusionBValueXX	Diffusion b-value XX
DiffusionBValueXY	Diffusion b-value XY
DiffusionBValueXZ	Diffusion b-value XZ
DiffusionBValueYY	Diffusion b-value YY
DiffusionBValueYZ	Diffusion b-value YZ
DiffusionBValueZZ	Diffusion b-value ZZ
DecayCorrectionDateTime	Decay Correction DateTime
NumberOfIterations	Number of Iterations
NumberOfSubsets	Number of Subsets
TimeOfFlightInformationUsed	Time of Flight Information Used
NonUniformRadialSamplingCorrected	Non-uniform Radial Sampling Corrected
DepthsOfFocus	Depth(s) of Focus
ExclusionStartDateTime	Exclusion Start DateTime
PotentialReasonsForProcedure	Potential Reasons for Procedure
PotentialReasonsForProcedureCodeSequence	Potential Reasons for Procedure Code Sequence
InstructionPerformedDateTime	Instruction Performed DateTime
TargetFrameOfReferenceUID	Target Frame of Reference UID
CTDIvolNotificationTrigger	CTDIvol Notification Trigger
ContributionDateTime	Contribution DateTime
ImagePositionPatient	Image Position (Patient)
ImageOrientationPatient	Image Orientation (Patient)
FrameOfReferenceUID	Frame of Reference UID
NumberOfTemporalPositions	Number of Temporal Positions
SynchronizationFrameOfReferenceUID	Synchronization Frame of Reference UID
SOPInstanceUIDOfConcatenationSource	SOP Instance UID of Concatenation Source
SeriesInStudy	Series in Study
AcquisitionsInSeries	Acquisitions in Series
ImagesInAcquisition	Images in Acquisition
ImagesInSeries	Images in Series
AcquisitionsInStudy	Acquisitions in Study
ImagesInStudy	Images in Study
NumberOfPatientRelatedStudies	Number of Patient Related Studies
NumberOfPatientRelatedSeries	Number of Patient Related Series
NumberOfPatientRelatedInstances	Number of Patient Related Instances
NumberOfStudyRelatedSeries	Number of Study Related Series
NumberOfStudyRelatedInstances	Number of Study Related Instances
NumberOfSeriesRelatedInstances	Number of Series Related Instances
SourceImageIDs	Source Image IDs
InStackPositionNumber	In-Stack Position Number
NominalCardiacTriggerTimePriorToRPeak	Nominal Cardiac Trigger Time Prior To R-Peak
ActualCardiacTriggerTimePriorToRPeak	Actual Cardiac Trigger Time Prior To R-Peak
InConcatenationNumber	In-concatenation Number
InConcatenationTotalNumber	In-concatenation Total Number
UnassignedPerFrameConvertedAttributesSequence	Unassigned Per-Frame Converted Attributes Sequence
NominalPercentageOfCardiacPhase	Nominal Percentage of Cardiac Phase
NominalPercentageOfRespiratoryPhase	Nominal Percentage of Respiratory Phase
RRIntervalTimeNominal	R-R Interval Time Nominal
ImagePositionVolume	Image Position (Volume)
ImageOrientationVolume	Image Orientation (Volume)
VolumeToTransducerMappingMatrix	Volume to Transducer Mapping Matrix
VolumeToTableMappingMatrix	Volume to Table Mapping Matrix
VolumeToTransducerRelationship	Volume to Transducer Relationship
PatientFrameOfReferenceSource	Patient Frame of Reference Source
PlanePositionVolumeSequence	Plane Position (Volume) Sequence
PlaneOrientationVolumeSequence	Plane Orientation (Volume) Sequence
VolumeFrameOfReferenceUID	Volume Frame of Reference UID
TableFrameOfReferenceUID	Table Frame of Reference UID
PatientOrientationInFrameSequence	Patient Orientation in Frame Sequence
LightPathFilterPassThroughWavelength	Light Path Filter Pass-Through Wavelength
ImagePathFilterPassThroughWavelength	Image Path Filter Pass-Through Wavelength
HorizontalFieldOfView	Horizontal Field of View
DegreeOfDilation	Degree of Dilation
CameraAngleOfView	Camera Angle of View
AxialLengthOfTheEye	Axial Length of the Eye
AlongScanSpatialResolution	Along-scan Spatial Resolution
MaximumAlongScanDistortion	Maximum Along-scan Distortion
DepthOfTransverseImage	Depth of Transverse Image
AcrossScanSpatialResolution	Across-scan Spatial Resolution
MaximumAcrossScanDistortion	Maximum Across-scan Distortion
SourceOfOphthalmicAxialLengthCodeSequence	Source of Ophthalmic Axial Length Code Sequence
SourceOfCornealSizeDataCodeSequence	Source of Corneal Size Data Code Sequence
TypeOfOpticalCorrection	Type of Optical Correction
PreSelectedForImplantation	Pre-Selected for Implantation
ToricIOLPowerForExactEmmetropiaSequence	Toric IOL Power for Exact Emmetropia Sequence
ToricIOLPowerForExactTargetRefractionSequence	Toric IOL Power for Exact Target Refraction Sequence
SourceOfLensThicknessDataCodeSequence	Source of Lens Thickness Data Code Sequence
SourceOfAnteriorChamberDepthDataCodeSequence	Source of Anterior Chamber Depth Data Code Sequence
SourceOfRefractiveMeasurementsSequence	Source of Refractive Measurements Sequence
SourceOfRefractiveMeasurementsCodeSequence	Source of Refractive Measurements Code Sequence
SignalToNoiseRatio	Signal to Noise Ratio
PixelValueMappingToCodedConceptSequence	Pixel Value Mapping to Coded Concept Sequence
RegistrationToLocalizerSequence	Registration to Localizer Sequence
TwoDimensionalToThreeDimensionalMapSequence	Two Dimensional to Three Dimensional Map Sequence
NumberOfMapPoints	Number of Map Points
TwoDimensionalToThreeDimensionalMapData	Two Dimensional to Three Dimensional Map Data
OphthalmicAnatomicReferencePointXCoordinate	Ophthalmic Anatomic Reference Point X-Coordinate
OphthalmicAnatomicReferencePointYCoordinate	Ophthalmic Anatomic Reference Point Y-Coordinate
OCTBscanAnalysisAcquisitionParametersSequence	OCT B-scan Analysis Acquisition Parameters Sequence
NumberOfBscansPerFrame	Number of B-scans Per Frame
BscanSlabThickness	B-scan Slab Thickness
DistanceBetweenBscanSlabs	Distance Between B-scan Slabs
BscanCycleTime	B-scan Cycle Time
BscanCycleTimeVector	B-scan Cycle Time Vector
AscanRate	A-scan Rate
BscanRate	B-scan Rate
SurfaceMeshZPixelOffset	Surface Mesh Z-Pixel Offset
NumberOfVisualStimuli	Number of Visual Stimuli
CommentsOnPatientPerformanceOfVisualField	Comments on Patient's Performance of Visual Field
VisualFieldTestPointXCoordinate	Visual Field Test Point X-Coordinate
VisualFieldTestPointYCoordinate	Visual Field Test Point Y-Coordinate
BlindSpotXCoordinate	Blind Spot X-Coordinate
BlindSpotYCoordinate	Blind Spot Y-Coordinate
RefractiveParametersUsedOnPatientSequence	Refractive Parameters Used on Patient Sequence
SamplesPerPixel	Samples per Pixel
SamplesPerPixelUsed	Samples per Pixel Used
NumberOfFrames	Number of Frames
SmallestPixelValueInSeries	Smallest Pixel Value in Series
LargestPixelValueInSeries	Largest Pixel Value in Series
SmallestImagePixelValueInPlane	Smallest Image Pixel Value in Plane
LargestImagePixelValueInPlane	Largest Image Pixel Value in Plane
NumberOfTransformSteps	Number of Transform Steps
SequenceOfCompressedData	Sequence of Compressed Data
DetailsOfCoefficients	Details of Coefficients
NumberOfTables	Number of Tables
WindowCenterWidthExplanation	Window Center & Width Explanation
VOILUTFunction	VOI LUT Function
BitsMappedToColorLookupTable	Bits Mapped to Color Lookup Table
BlendingLUT1Sequence	Blending LUT 1 Sequence
BlendingLUT1TransferFunction	Blending LUT 1 Transfer Function
BlendingLUT2Sequence	Blending LUT 2 Sequence
BlendingLUT2TransferFunction	Blending LUT 2 Transfer Function
RGBLUTTransferFunction	RGB LUT Transfer Function
VOILUTSequence	VOI LUT Sequence
SoftcopyVOILUTSequence	Softcopy VOI LUT Sequence
BiPlaneAcquisitionSequence	Bi-Plane Acquisition Sequence
FrameNumbersOfInterest	Frame Numbers of Interest (FOI)
FrameOfInterestDescription	Frame of Interest Description
FrameOfInterestType	Frame of Interest Type
MaskPointers	Mask Pointer(s)
MaskSubPixelShift	Mask Sub-pixel Shift
NumberOfDisplaySubsystems	Number of Display Subsystems
CIExyWhitePoint	CIExy White Point
NumberOfLuminancePoints	Number of Luminance Points
FrameVOILUTSequence	Frame VOI LUT Sequence
VerticesOfTheRegion	Vertices of the Region
MultiFramePresentationSequence	Multi-frame Presentation Sequence
ImageToEquipmentMappingMatrix	Image to Equipment Mapping Matrix
ReasonForStudy	Reason for Study
ReasonForVisit	Reason for Visit
ReasonForVisitCodeSequence	Reason for Visit Code Sequence
RealTimeBulkDataFlowSequence	Real-Time Bulk Data Flow Sequence
TimeOfFrameGroupSequence	Time of Frame Group Sequence
IssuerOfAdmissionID	Issuer of Admission ID
IssuerOfAdmissionIDSequence	Issuer of Admission ID Sequence
RouteOfAdmissions	Route of Admissions
IssuerOfServiceEpisodeID	Issuer of Service Episode ID
IssuerOfServiceEpisodeIDSequence	Issuer of Service Episode ID Sequence
PatientInstitutionResidence	Patient's Institution Residence
NumberOfWaveformChannels	Number of Waveform Channels
NumberOfWaveformSamples	Number of Waveform Samples
WaveformDisplayBackgroundCIELabValue	Waveform Display Background CIELab Value
ChannelRecommendedDisplayCIELabValue	Channel Recommended Display CIELab Value
ImpedanceMeasurementDateTime	Impedance Measurement DateTime
SummarizedFilterLookupTable	Summarized Filter Lookup Table Sequence
AnalogFilterType	Analog Filter Type Code Sequence
ScheduledPerformingPhysicianName	Scheduled Performing Physician's Name
PreMedication	Pre-Medication
AssigningAgencyOrDepartmentCodeSequence	Assigning Agency or Department Code Sequence
ReferencedNonImageCompositeSOPInstanceSequence	Referenced Non-Image Composite SOP Instance Sequence
CommentsOnThePerformedProcedureStep	Comments on the Performed Procedure Step
TotalTimeOfFluoroscopy	Total Time of Fluoroscopy
TotalNumberOfExposures	Total Number of Exposures
DistanceSourceToEntrance	Distance Source to Entrance
DistanceSourceToSupport	Distance Source to Support
CommentsOnRadiationDose	Comments on Radiation Dose
XRayOutput	X-Ray Output
BillingSuppliesAndDevicesSequence	Billing Supplies and Devices Sequence
CommentsOnTheScheduledProcedureStep	Comments on the Scheduled Procedure Step
IssuerOfTheContainerIdentifierSequence	Issuer of the Container Identifier Sequence
SpecimenDescriptionSequenceTrial	Specimen Description Sequence (Trial)
SpecimenDescriptionTrial	Specimen Description (Trial)
IssuerOfTheSpecimenIdentifierSequence	Issuer of the Specimen Identifier Sequence
XOffsetInSlideCoordinateSystem	X Offset in Slide Coordinate System
YOffsetInSlideCoordinateSystem	Y Offset in Slide Coordinate System
ZOffsetInSlideCoordinateSystem	Z Offset in Slide Coordinate System
VitalStainCodeSequenceTrial	Vital Stain Code Sequence (Trial)
ReasonForTheRequestedProcedure	Reason for the Requested Procedure
PlacerOrderNumberProcedure	Placer Order Number / Procedure
FillerOrderNumberProcedure	Filler Order Number / Procedure
ReasonForRequestedProcedureCodeSequence	Reason for Requested Procedure Code Sequence
NamesOfIntendedRecipientsOfResults	Names of Intended Recipients of Results
IntendedRecipientsOfResultsIdentificationSequence	Intended Recipients of Results Identification Sequence
RequestedProcedureDescriptionTrial	Requested Procedure Description (Trial)
PersonAddress	Person's Address
PersonTelephoneNumbers	Person's Telephone Numbers
PersonTelecomInformation	Person's Telecom Information
ReasonForTheImagingServiceRequest	Reason for the Imaging Service Request
IssueDateOfImagingServiceRequest	Issue Date of Imaging Service Request
IssueTimeOfImagingServiceRequest	Issue Time of Imaging Service Request
PlacerOrderNumberImagingServiceRequestRetired	Placer Order Number / Imaging Service Request (Retired)
FillerOrderNumberImagingServiceRequestRetired	Filler Order Number / Imaging Service Request (Retired)
OrderEntererLocation	Order Enterer's Location
PlacerOrderNumberImagingServiceRequest	Placer Order Number / Imaging Service Request
FillerOrderNumberImagingServiceRequest	Filler Order Number / Imaging Service Request
ConfidentialityConstraintOnPatientDataDescription	Confidentiality Constraint on Patient Data Description
ScheduledProcedureStepStartDateTime	Scheduled Procedure Step Start DateTime
ScheduledProcedureStepExpirationDateTime	Scheduled Procedure Step Expiration DateTime
ScheduledProcedureStepModificationDateTime	Scheduled Procedure Step Modification DateTime
ExpectedCompletionDateTime	Expected Completion DateTime
NonDICOMOutputCodeSequence	Non-DICOM Output Code Sequence
HumanPerformerOrganization	Human Performer's Organization
HumanPerformerName	Human Performer's Name
PerformedProcedureStepStartDateTime	Performed Procedure Step Start DateTime
PerformedProcedureStepEndDateTime	Performed Procedure Step End DateTime
ProcedureStepCancellationDateTime	Procedure Step Cancellation DateTime
STOWRSStorageSequence	STOW-RS Storage Sequence
EntranceDoseInmGy	Entrance Dose in mGy
FindingsFlagTrial	Findings Flag (Trial)
FindingsSequenceTrial	Findings Sequence (Trial)
FindingsGroupUIDTrial	Findings Group UID (Trial)
ReferencedFindingsGroupUIDTrial	Referenced Findings Group UID (Trial)
FindingsGroupRecordingDateTrial	Findings Group Recording Date (Trial)
FindingsGroupRecordingTimeTrial	Findings Group Recording Time (Trial)
FindingsSourceCategoryCodeSequenceTrial	Findings Source Category Code Sequence (Trial)
DocumentingOrganizationIdentifierCodeSequenceTrial	Documenting Organization Identifier Code Sequence (Trial)
VerificationDateTime	Verification DateTime
ObservationDateTime	Observation DateTime
ObservationStartDateTime	Observation Start DateTime
MeasurementPrecisionDescriptionTrial	Measurement Precision Description (Trial)
UrgencyOrPriorityAlertsTrial	Urgency or Priority Alerts (Trial)
SequencingIndicatorTrial	Sequencing Indicator (Trial)
DocumentIdentifierCodeSequenceTrial	Document Identifier Code Sequence (Trial)
DocumentAuthorTrial	Document Author (Trial)
DocumentAuthorIdentifierCodeSequenceTrial	Document Author Identifier Code Sequence (Trial)
IdentifierCodeSequenceTrial	Identifier Code Sequence (Trial)
ObjectBinaryIdentifierTrial	Object Binary Identifier (Trial)
DocumentingObserverIdentifierCodeSequenceTrial	Documenting Observer Identifier Code Sequence (Trial)
ParticipationDateTime	Participation DateTime
ProcedureIdentifierCodeSequenceTrial	Procedure Identifier Code Sequence (Trial)
ObjectDirectoryBinaryIdentifierTrial	Object Directory Binary Identifier (Trial)
DateOfDocumentOrVerbalTransactionTrial	Date of Document or Verbal Transaction (Trial)
TimeOfDocumentCreationOrVerbalTransactionTrial	Time of Document Creation or Verbal Transaction (Trial)
DateTime	DateTime
ReportStatusIDTrial	Report Status ID (Trial)
ReferencedDateTime	Referenced DateTime
ObservationCategoryCodeSequenceTrial	Observation Category Code Sequence (Trial)
BibliographicCitationTrial	Bibliographic Citation (Trial)
PurposeOfReferenceCodeSequence	Purpose of Reference Code Sequence
ReferencedObservationUIDTrial	Referenced Observation UID (Trial)
ReferencedObservationClassTrial	Referenced Observation Class (Trial)
ReferencedObjectObservationClassTrial	Referenced Object Observation Class (Trial)
ObservationDateTrial	Observation Date (Trial)
ObservationTimeTrial	Observation Time (Trial)
MeasurementAutomationTrial	Measurement Automation (Trial)
IdentificationDescriptionTrial	Identification Description (Trial)
CoordinatesSetGeometricTypeTrial	Coordinates Set Geometric Type (Trial)
AlgorithmCodeSequenceTrial	Algorithm Code Sequence (Trial)
AlgorithmDescriptionTrial	Algorithm Description (Trial)
PixelCoordinatesSetTrial	Pixel Coordinates Set (Trial)
CurrentObserverTrial	Current Observer (Trial)
ReferencedAccessionSequenceTrial	Referenced Accession Sequence (Trial)
ReportStatusCommentTrial	Report Status Comment (Trial)
ProcedureContextSequenceTrial	Procedure Context Sequence (Trial)
VerbalSourceTrial	Verbal Source (Trial)
AddressTrial	Address (Trial)
TelephoneNumberTrial	Telephone Number (Trial)
VerbalSourceIdentifierCodeSequenceTrial	Verbal Source Identifier Code Sequence (Trial)
ReportDetailSequenceTrial	Report Detail Sequence (Trial)
ObservationSubjectUIDTrial	Observation Subject UID (Trial)
ObservationSubjectClassTrial	Observation Subject Class (Trial)
ObservationSubjectTypeCodeSequenceTrial	Observation Subject Type Code Sequence (Trial)
ObservationSubjectContextFlagTrial	Observation Subject Context Flag (Trial)
ObserverContextFlagTrial	Observer Context Flag (Trial)
ProcedureContextFlagTrial	Procedure Context Flag (Trial)
RelationshipSequenceTrial	Relationship Sequence (Trial)
RelationshipTypeCodeSequenceTrial	Relationship Type Code Sequence (Trial)
LanguageCodeSequenceTrial	Language Code Sequence (Trial)
NumberOfTableRows	Number of Table Rows
NumberOfTableColumns	Number of Table Columns
UniformResourceLocatorTrial	Uniform Resource Locator (Trial)
TypeOfInstances	Type of Instances
WADORSRetrievalSequence	WADO-RS Retrieval Sequence
MIMETypeOfEncapsulatedDocument	MIME Type of Encapsulated Document
ListOfMIMETypes	List of MIME Types
ApprovalStatusDateTime	Approval Status DateTime
ProductExpirationDateTime	Product Expiration DateTime
SubstanceAdministrationDateTime	Substance Administration DateTime
AssertionDateTime	Assertion DateTime
AssertionExpirationDateTime	Assertion Expiration DateTime
RadiusOfCurvature	Radius of Curvature
SourceOfCorneaMeasurementDataCodeSequence	Source of Cornea Measurement Data Code Sequence
RefractiveIndexOfCornea	Refractive Index of Cornea
RefractiveIndexOfAqueousHumor	Refractive Index of Aqueous Humor
PupilCentroidXCoordinate	Pupil Centroid X-Coordinate
PupilCentroidYCoordinate	Pupil Centroid Y-Coordinate
VerticesOfTheOutlineOfPupil	Vertices of the Outline of Pupil
CornealISValue	Corneal I-S Value
SpecimenLabelInImage	Specimen Label in Image
ExtendedDepthOfField	Extended Depth of Field
NumberOfFocalPlanes	Number of Focal Planes
RecommendedAbsentPixelCIELabValue	Recommended Absent Pixel CIELab Value
ImageOrientationSlide	Image Orientation (Slide)
TopLeftHandCornerOfLocalizerArea	Top Left Hand Corner of Localizer Area
BottomRightHandCornerOfLocalizerArea	Bottom Right Hand Corner of Localizer Area
PlanePositionSlideSequence	Plane Position (Slide) Sequence
NumberOfOpticalPaths	Number of Optical Paths
InterMarkerDistance	Inter-Marker Distance
ContrastBolusIngredientPercentByVolume	Contrast/Bolus Ingredient Percent by Volume
ALineRate	A-line Rate
ALinesPerFrame	A-lines Per Frame
ALinePixelSpacing	A-line Pixel Spacing
ModeOfPercutaneousAccessSequence	Mode of Percutaneous Access Sequence
OCTZOffsetApplied	OCT Z Offset Applied
OCTZOffsetCorrection	OCT Z Offset Correction
CatheterDirectionOfRotation	Catheter Direction of Rotation
FirstALineLocation	First A-line Location
NumberOfPaddedALines	Number of Padded A-lines
NumberOfEnergyWindows	Number of Energy Windows
NumberOfDetectors	Number of Detectors
NumberOfPhases	Number of Phases
NumberOfFramesInPhase	Number of Frames in Phase
NumberOfRotations	Number of Rotations
NumberOfFramesInRotation	Number of Frames in Rotation
RRIntervalVector	R-R Interval Vector
NumberOfRRIntervals	Number of R-R Intervals
NumberOfTimeSlots	Number of Time Slots
NumberOfSlices	Number of Slices
NumberOfTimeSlices	Number of Time Slices
TypeOfDetectorMotion	Type of Detector Motion
NumberOfTriggersInPhase	Number of Triggers in Phase
DetectorLinesOfResponseUsed	Detector Lines of Response Used
PrimaryPromptsCountsAccumulated	Primary (Prompts) Counts Accumulated
HistogramNumberOfBins	Histogram Number of Bins
RecommendedDisplayCIELabValue	Recommended Display CIELab Value
SourceFrameOfReferenceUID	Source Frame of Reference UID
NumberOfSurfaces	Number of Surfaces
NumberOfSurfacePoints	Number of Surface Points
AxisOfRotation	Axis of Rotation
CenterOfRotation	Center of Rotation
NumberOfVectors	Number of Vectors
RecommendedDisplayCIELabValueList	Recommended Display CIELab Value List
EffectiveDateTime	Effective DateTime
InformationIssueDateTime	Information Issue DateTime
ImplantTemplate3DModelSurfaceNumber	Implant Template 3D Model Surface Number
MatingFeatureDegreeOfFreedomSequence	Mating Feature Degree of Freedom Sequence
DegreeOfFreedomID	Degree of Freedom ID
DegreeOfFreedomType	Degree of Freedom Type
TwoDMatingFeatureCoordinatesSequence	2D Mating Feature Coordinates Sequence
TwoDMatingPoint	2D Mating Point
TwoDMatingAxes	2D Mating Axes
TwoDDegreeOfFreedomSequence	2D Degree of Freedom Sequence
ThreeDDegreeOfFreedomAxis	3D Degree of Freedom Axis
RangeOfFreedom	Range of Freedom
ThreeDMatingPoint	3D Mating Point
ThreeDMatingAxes	3D Mating Axes
TwoDDegreeOfFreedomAxis	2D Degree of Freedom Axis
TwoDPointCoordinatesSequence	2D Point Coordinates Sequence
TwoDPointCoordinates	2D Point Coordinates
ThreeDPointCoordinates	3D Point Coordinates
TwoDLineCoordinatesSequence	2D Line Coordinates Sequence
TwoDLineCoordinates	2D Line Coordinates
ThreeDLineCoordinates	3D Line Coordinates
TwoDPlaneCoordinatesSequence	2D Plane Coordinates Sequence
TwoDPlaneIntersection	2D Plane Intersection
ThreeDPlaneOrigin	3D Plane Origin
ThreeDPlaneNormal	3D Plane Normal
NumberOfAnnotations	Number of Annotations
AnnotationAppliesToAllOpticalPaths	Annotation Applies to All Optical Paths
AnnotationAppliesToAllZPlanes	Annotation Applies to All Z Planes
NumberOfGraphicPoints	Number of Graphic Points
ImageRotationRetired	Image Rotation (Retired)
DisplayedAreaTopLeftHandCornerTrial	Displayed Area Top Left Hand Corner (Trial)
DisplayedAreaBottomRightHandCornerTrial	Displayed Area Bottom Right Hand Corner (Trial)
ContentCreatorName	Content Creator's Name
ContentCreatorIdentificationCodeSequence	Content Creator's Identification Code Sequence
TextColorCIELabValue	Text Color CIELab Value
ShadowColorCIELabValue	Shadow Color CIELab Value
PatternOnColorCIELabValue	Pattern On Color CIELab Value
PatternOffColorCIELabValue	Pattern Off Color CIELab Value
DiameterOfVisibility	Diameter of Visibility
FrameOfReferenceToDisplayedCoordinateSystemTransformationMatrix	Frame of Reference to Displayed Coordinate System Transformation Matrix
FrameOfReferenceTransformationMatrixType	Frame of Reference Transformation Matrix Type
GraphicLayerRecommendedDisplayCIELabValue	Graphic Layer Recommended Display CIELab Value
MultiPlanarReconstructionStyle	Multi-Planar Reconstruction Style
NumberOfVolumetricCurvePoints	Number of Volumetric Curve Points
ViewpointLookAtPoint	Viewpoint LookAt Point
RenderFieldOfView	Render Field of View
GeometryForDisplay	Geometry for Display
HangingProtocolCreationDateTime	Hanging Protocol Creation DateTime
NumberOfPriorsReferenced	Number of Priors Referenced
NumberOfScreens	Number of Screens
NumberOfVerticalPixels	Number of Vertical Pixels
NumberOfHorizontalPixels	Number of Horizontal Pixels
CineRelativeToRealTime	Cine Relative to Real-Time
FilterByCategory	Filter-by Category
FilterByAttributePresence	Filter-by Attribute Presence
FilterByOperator	Filter-by Operator
StructuredDisplayBackgroundCIELabValue	Structured Display Background CIELab Value
EmptyImageBoxCIELabValue	Empty Image Box CIELab Value
TypeOfSynchronization	Type of Synchronization
ThreeDRenderingType	3D Rendering Type
SortByCategory	Sort-by Category
PseudoColorType	Pseudo-Color Type
PseudoColorPaletteInstanceReferenceSequence	Pseudo-Color Palette Instance Reference Sequence
BeamOrderIndexTrial	Beam Order Index (Trial)
DoubleExposureMetersetTrial	Double Exposure Meterset (Trial)
DoubleExposureFieldDeltaTrial	Double Exposure Field Delta (Trial)
ReasonForCancellation	Reason for Cancellation
ReasonForChannelOmission	Reason for Channel Omission
ReasonForChannelOmissionDescription	Reason for Channel Omission Description
Component1ReferencedID	Component 1 Referenced ID
Component1ReferencedMatingFeatureSetID	Component 1 Referenced Mating Feature Set ID
Component1ReferencedMatingFeatureID	Component 1 Referenced Mating Feature ID
Component2ReferencedID	Component 2 Referenced ID
Component2ReferencedMatingFeatureSetID	Component 2 Referenced Mating Feature Set ID
Component2ReferencedMatingFeatureID	Component 2 Referenced Mating Feature ID
ThreeDImplantTemplateGroupMemberMatchingPoint	3D Implant Template Group Member Matching Point
ThreeDImplantTemplateGroupMemberMatchingAxes	3D Implant Template Group Member Matching Axes
ImplantTemplateGroupMemberMatching2DCoordinatesSequence	Implant Template Group Member Matching 2D Coordinates Sequence
TwoDImplantTemplateGroupMemberMatchingPoint	2D Implant Template Group Member Matching Point
TwoDImplantTemplateGroupMemberMatchingAxes	2D Implant Template Group Member Matching Axes
SurfacePointColorCIELabValueData	Surface Point Color CIELab Value Data
NumberOfAssessmentObservations	Number of Assessment Observations
StorageMediaFileSetID	Storage Media File-set ID
StorageMediaFileSetUID	Storage Media File-set UID
SOPAuthorizationDateTime	SOP Authorization DateTime
MACIDNumber	MAC ID Number
DigitalSignatureDateTime	Digital Signature DateTime
CertificateOfSigner	Certificate of Signer
AttributeModificationDateTime	Attribute Modification DateTime
SourceOfPreviousValues	Source of Previous Values
ReasonForTheAttributeModification	Reason for the Attribute Modification
NumberOfCopies	Number of Copies
RequestedDecimateCropBehavior	Requested Decimate/Crop Behavior
DecimateCropResult	Decimate/Crop Result
ReferencedVOILUTBoxSequence	Referenced VOI LUT Box Sequence
OverlayOrImageMagnification	Overlay or Image Magnification
MagnifyToNumberOfColumns	Magnify to Number of Columns
ReferencedImageBoxSequenceRetired	Referenced Image Box Sequence (Retired)
NumberOfFilms	Number of Films
ReferencedPrintJobSequencePullStoredPrint	Referenced Print Job Sequence (Pull Stored Print)
IncludeNonDICOMObjects	Include Non-DICOM Objects
TotalNumberOfPiecesOfMediaCreated	Total Number of Pieces of Media Created
XRayImageReceptorTranslation	X-Ray Image Receptor Translation
XRayImageReceptorAngle	X-Ray Image Receptor Angle
SourceToReferenceObjectDistance	Source to Reference Object Distance
RTImageFramekVRadiationAcquisitionSequence	RT Image Frame kV Radiation Acquisition Sequence
DevicePositionToEquipmentMappingMatrix	Device Position to Equipment Mapping Matrix
NumberOfAcquisitionDevices	Number of Acquisition Devices
ImagingSourceToBeamModifierDefinitionPlaneDistance	Imaging Source to Beam Modifier Definition Plane Distance
DeviceSpecificAcquisitionParameterSequence	Device-Specific Acquisition Parameter Sequence
SpatialTransformOfDose	Spatial Transform of Dose
DVHNumberOfBins	DVH Number of Bins
DVHROIContributionType	DVH ROI Contribution Type
ReferencedFrameOfReferenceSequence	Referenced Frame of Reference Sequence
ReferencedFrameOfReferenceUID	Referenced Frame of Reference UID
ROIDateTime	ROI DateTime
ROIObservationDateTime	ROI Observation DateTime
RTROIRelationship	RT ROI Relationship
NumberOfContourPoints	Number of Contour Points
RTROIObservationsSequence	RT ROI Observations Sequence
RTROIIdentificationCodeSequence	RT ROI Identification Code Sequence
RelatedRTROIObservationsSequence	Related RT ROI Observations Sequence
RTROIInterpretedType	RT ROI Interpreted Type
AdditionalRTROIIdentificationCodeSequence	Additional RT ROI Identification Code Sequence
FrameOfReferenceRelationshipSequence	Frame of Reference Relationship Sequence
RelatedFrameOfReferenceUID	Related Frame of Reference UID
FrameOfReferenceTransformationType	Frame of Reference Transformation Type
FrameOfReferenceTransformationMatrix	Frame of Reference Transformation Matrix
FrameOfReferenceTransformationComment	Frame of Reference Transformation Comment
CumulativeDoseToDoseReference	Cumulative Dose to Dose Reference
NumberOfFractionsDelivered	Number of Fractions Delivered
SpecifiedNumberOfPulses	Specified Number of Pulses
DeliveredNumberOfPulses	Delivered Number of Pulses
OrganAtRiskFullVolumeDose	Organ at Risk Full-volume Dose
OrganAtRiskLimitDose	Organ at Risk Limit Dose
OrganAtRiskMaximumDose	Organ at Risk Maximum Dose
OrganAtRiskOverdoseVolumeFraction	Organ at Risk Overdose Volume Fraction
NumberOfFractionsPlanned	Number of Fractions Planned
NumberOfFractionPatternDigitsPerDay	Number of Fraction Pattern Digits Per Day
NumberOfBeams	Number of Beams
BeamDosePointSourceToExternalContourDistance	Beam Dose Point Source to External Contour Distance
NumberOfBrachyApplicationSetups	Number of Brachy Application Setups
SourceAxisDistance	Source-Axis Distance
SourceToBeamLimitingDeviceDistance	Source to Beam Limiting Device Distance
IsocenterToBeamLimitingDeviceDistance	Isocenter to Beam Limiting Device Distance
NumberOfLeafJawPairs	Number of Leaf/Jaw Pairs
HighDoseTechniqueType	High-Dose Technique Type
ImagingDeviceSpecificAcquisitionParameters	Imaging Device-Specific Acquisition Parameters
NumberOfWedges	Number of Wedges
TotalWedgeTrayWaterEquivalentThickness	Total Wedge Tray Water-Equivalent Thickness
IsocenterToWedgeTrayDistance	Isocenter to Wedge Tray Distance
SourceToWedgeTrayDistance	Source to Wedge Tray Distance
NumberOfCompensators	Number of Compensators
SourceToCompensatorTrayDistance	Source to Compensator Tray Distance
NumberOfBoli	Number of Boli
NumberOfBlocks	Number of Blocks
TotalBlockTrayWaterEquivalentThickness	Total Block Tray Water-Equivalent Thickness
SourceToBlockTrayDistance	Source to Block Tray Distance
IsocenterToBlockTrayDistance	Isocenter to Block Tray Distance
BlockNumberOfPoints	Block Number of Points
NumberOfControlPoints	Number of Control Points
LeafJawPositions	Leaf/Jaw Positions
SourceToSurfaceDistance	Source to Surface Distance
AverageBeamDosePointSourceToExternalContourDistance	Average Beam Dose Point Source to External Contour Distance
SourceToExternalContourDistance	Source to External Contour Distance
NumberOfPulses	Number of Pulses
ControlPoint3DPosition	Control Point 3D Position
SourceToCompensatorDistance	Source to Compensator Distance
TotalCompensatorTrayWaterEquivalentThickness	Total Compensator Tray Water-Equivalent Thickness
IsocenterToCompensatorTrayDistance	Isocenter to Compensator Tray Distance
IsocenterToCompensatorDistances	Isocenter to Compensator Distances
VirtualSourceAxisDistances	Virtual Source-Axis Distances
NumberOfRangeShifters	Number of Range Shifters
NumberOfLateralSpreadingDevices	Number of Lateral Spreading Devices
NumberOfRangeModulators	Number of Range Modulators
IsocenterToRangeShifterDistance	Isocenter to Range Shifter Distance
IsocenterToLateralSpreadingDeviceDistance	Isocenter to Lateral Spreading Device Distance
IsocenterToRangeModulatorDistance	Isocenter to Range Modulator Distance
NumberOfScanSpotPositions	Number of Scan Spot Positions
NumberOfPaintings	Number of Paintings
SourceToGeneralAccessoryDistance	Source to General Accessory Distance
IsocenterToGeneralAccessoryDistance	Isocenter to General Accessory Distance
SourceToApplicatorMountingPositionDistance	Source to Applicator Mounting Position Distance
NumberOfBlockSlabItems	Number of Block Slab Items
NumberOfRTControlPoints	Number of RT Control Points
RTAccessoryHolderWaterEquivalentThickness	RT Accessory Holder Water-Equivalent Thickness
MetersetToDoseMappingSequence	Meterset to Dose Mapping Sequence
ExpectedInVivoMeasurementValuesSequence	Expected In-Vivo Measurement Values Sequence
ExpectedInVivoMeasurementValueIndex	Expected In-Vivo Measurement Value Index
RadiationDoseInVivoMeasurementLabel	Radiation Dose In-Vivo Measurement Label
RadiationDoseSourceToSkinDistance	Radiation Dose Source to Skin Distance
RadiationDoseSourceToExternalContourDistance	Radiation Dose Source to External Contour Distance
CArmPhotonElectronControlPointSequence	C-Arm Photon-Electron Control Point Sequence
SourceToPatientSurfaceDistance	Source to Patient Surface Distance
IntendedNumberOfFractions	Intended Number of Fractions
RTRadiationPhysicalAndGeometricContentDetailFlag	RT Radiation Physical and Geometric Content Detail Flag
RadiationSourceAxisDistance	Radiation Source-Axis Distance
NumberOfRTBeamLimitingDevices	Number of RT Beam Limiting Devices
NumberOfParallelRTBeamDelimiters	Number of Parallel RT Beam Delimiters
NumberOfWedgePositions	Number of Wedge Positions
NumberOfRTBeamLimitingDeviceOpenings	Number of RT Beam Limiting Device Openings
RadiationDeviceConfigurationAndCommissioningKeySequence	Radiation Device Configuration and Commissioning Key Sequence
NumberOfRTAccessoryHolders	Number of RT Accessory Holders
NumberOfGeneralAccessories	Number of General Accessories
NumberOfBoluses	Number of Boluses
EquipmentFrameOfReferenceUID	Equipment Frame of Reference UID
EquipmentFrameOfReferenceDescription	Equipment Frame of Reference Description
RadiationGenerationModeSequence	Radiation GenerationMode Sequence
RadiationGenerationModeLabel	Radiation GenerationMode Label
RadiationGenerationModeDescription	Radiation GenerationMode Description
RadiationGenerationModeMachineCodeSequence	Radiation GenerationMode Machine Code Sequence
NumberOfRadiationGenerationModes	Number of Radiation GenerationModes
NumberOfPatientSupportDevices	Number of Patient Support Devices
MachineSpecificTreatmentTerminationCodeSequence	Machine-Specific Treatment Termination Code Sequence
TreatmentToleranceViolationDateTime	Treatment Tolerance Violation DateTime
RecordedRTControlPointDateTime	Recorded RT Control Point DateTime
InterlockDateTime	Interlock DateTime
OverrideDateTime	Override DateTime
MeasuredMetersetToDoseMappingSequence	Measured Meterset to Dose Mapping Sequence
ReferencedExpectedInVivoMeasurementValueIndex	Referenced Expected In-Vivo Measurement Value Index
ReasonForOmissionCodeSequence	Reason for Omission Code Sequence
ReasonForOmission	Reason for Omission
ReasonForOmissionDescription	Reason for Omission Description
NumberOfFractionsIncluded	Number of Fractions Included
AbsorbedDoseToMetersetRatio	Absorbed Dose to Meterset Ratio
BeamHoldTransitionDateTime	Beam Hold Transition DateTime
ManufacturerModelVersion	Manufacturer's Model Version
ManufacturerDeviceIdentifier	Manufacturer's Device Identifier
InstanceLevelReferencedPerformedProcedureStepSequence	Instance-Level Referenced Performed Procedure Step Sequence
MinimumNumberOfIntervalDays	Minimum Number of Interval Days
MaximumNumberOfIntervalDays	Maximum Number of Interval Days
PertinentSOPClassesInStudy	Pertinent SOP Classes in Study
PertinentSOPClassesInSeries	Pertinent SOP Classes in Series
ReasonForSuperseding	Reason for Superseding
NumberOfIntervalFractions	Number of Interval Fractions
NumberOfFractions	Number of Fractions
FractionBasedRelationshipSequence	Fraction-Based Relationship Sequence
FractionBasedRelationshipIntervalAnchor	Fraction-Based Relationship Interval Anchor
MinimumHoursBetweenFractions	Minimum Hours between Fractions
IntendedStartDayOfWeek	Intended Start Day of Week
RadiationSourceCoordinateSystemYawAngle	Radiation Source Coordinate SystemYaw Angle
RadiationSourceCoordinateSystemRollAngle	Radiation Source Coordinate SystemRoll Angle
ReportProductionStatusTrial	Report Production Status (Trial)
ReferenceToRecordedSound	Reference to Recorded Sound
CenterOfMass	Center of Mass
CenterOfPTO	Center of PTO
VolumeOfPTO	Volume of PTO
ThreatDetectionAlgorithmAndVersion	Threat Detection Algorithm and Version
NumberOfTotalObjects	Number of Total Objects
NumberOfAlarmObjects	Number of Alarm Objects
PRCSToRCSOrientation	PRCS to RCS Orientation
NumberOfPoints	Number of Points
TypeOfData	Type of Data
NumberOfChannels	Number of Channels
NumberOfSamples	Number of Samples
PerFrameFunctionalGroupsSequence	Per-Frame Functional Groups Sequence
NumberOfFramesInOverlay	Number of Frames in Overlay
OverlayNumberOfTables	Overlay Number of Tables
OverlayDescriptorGray	Overlay Descriptor - Gray
OverlayDescriptorRed	Overlay Descriptor - Red
OverlayDescriptorGreen	Overlay Descriptor - Green
OverlayDescriptorBlue	Overlay Descriptor - Blue
OverlaysGray	Overlays - Gray
OverlaysRed	Overlays - Red
OverlaysGreen	Overlays - Green
OverlaysBlue	Overlays - Blue`;
