// Written by tools/generators/dicom/generate.ts; do not edit.

/** PS3.4 and PS3.6 A: UID, S when instances are stored by C-STORE, name. */
export const sopClassLines: string = `\
1.2.840.10008.1.1 - Verification
1.2.840.10008.1.20.1 - Storage Commitment Push Model
1.2.840.10008.1.20.2 - Storage Commitment Pull Model (Retired)
1.2.840.10008.1.3.10 - Media Storage Directory Storage
1.2.840.10008.1.40 - Procedural Event Logging
1.2.840.10008.1.42 - Substance Administration Logging
1.2.840.10008.1.9 - Basic Study Content Notification (Retired)
1.2.840.10008.3.1.2.1.1 - Detached Patient Management (Retired)
1.2.840.10008.3.1.2.3.1 - Detached Study Management (Retired)
1.2.840.10008.3.1.2.3.3 - Modality Performed Procedure Step
1.2.840.10008.3.1.2.3.4 - Modality Performed Procedure Step Retrieve
1.2.840.10008.3.1.2.3.5 - Modality Performed Procedure Step Notification
1.2.840.10008.5.1.1.1 - Basic Film Session
1.2.840.10008.5.1.1.14 - Print Job
1.2.840.10008.5.1.1.15 - Basic Annotation Box
1.2.840.10008.5.1.1.16 - Printer
1.2.840.10008.5.1.1.16.376 - Printer Configuration Retrieval
1.2.840.10008.5.1.1.18 - Basic Color Print Management (Meta)
1.2.840.10008.5.1.1.2 - Basic Film Box
1.2.840.10008.5.1.1.23 - Presentation LUT
1.2.840.10008.5.1.1.27 S Stored Print Storage (Retired)
1.2.840.10008.5.1.1.29 S Hardcopy Grayscale Image Storage (Retired)
1.2.840.10008.5.1.1.30 S Hardcopy Color Image Storage (Retired)
1.2.840.10008.5.1.1.33 - Media Creation Management
1.2.840.10008.5.1.1.4 - Basic Grayscale Image Box
1.2.840.10008.5.1.1.4.1 - Basic Color Image Box
1.2.840.10008.5.1.1.40 - Display System
1.2.840.10008.5.1.1.9 - Basic Grayscale Print Management (Meta)
1.2.840.10008.5.1.4.1.1.1 S Computed Radiography Image Storage
1.2.840.10008.5.1.4.1.1.1.1 S Digital X-Ray Image Storage - For Presentation
1.2.840.10008.5.1.4.1.1.1.1.1 S Digital X-Ray Image Storage - For Processing
1.2.840.10008.5.1.4.1.1.1.2 S Digital Mammography X-Ray Image Storage - For Presentation
1.2.840.10008.5.1.4.1.1.1.2.1 S Digital Mammography X-Ray Image Storage - For Processing
1.2.840.10008.5.1.4.1.1.1.3 S Digital Intra-Oral X-Ray Image Storage - For Presentation
1.2.840.10008.5.1.4.1.1.1.3.1 S Digital Intra-Oral X-Ray Image Storage - For Processing
1.2.840.10008.5.1.4.1.1.10 S Standalone Modality LUT Storage (Retired)
1.2.840.10008.5.1.4.1.1.104.1 S Encapsulated PDF Storage
1.2.840.10008.5.1.4.1.1.104.2 S Encapsulated CDA Storage
1.2.840.10008.5.1.4.1.1.104.3 S Encapsulated STL Storage
1.2.840.10008.5.1.4.1.1.104.4 S Encapsulated OBJ Storage
1.2.840.10008.5.1.4.1.1.104.5 S Encapsulated MTL Storage
1.2.840.10008.5.1.4.1.1.11 S Standalone VOI LUT Storage (Retired)
1.2.840.10008.5.1.4.1.1.11.1 S Grayscale Softcopy Presentation State Storage
1.2.840.10008.5.1.4.1.1.11.10 S Segmented Volume Rendering Volumetric Presentation State Storage
1.2.840.10008.5.1.4.1.1.11.11 S Multiple Volume Rendering Volumetric Presentation State Storage
1.2.840.10008.5.1.4.1.1.11.12 S Variable Modality LUT Softcopy Presentation State Storage
1.2.840.10008.5.1.4.1.1.11.2 S Color Softcopy Presentation State Storage
1.2.840.10008.5.1.4.1.1.11.3 S Pseudo-Color Softcopy Presentation State Storage
1.2.840.10008.5.1.4.1.1.11.4 S Blending Softcopy Presentation State Storage
1.2.840.10008.5.1.4.1.1.11.5 S XA/XRF Grayscale Softcopy Presentation State Storage
1.2.840.10008.5.1.4.1.1.11.6 S Grayscale Planar MPR Volumetric Presentation State Storage
1.2.840.10008.5.1.4.1.1.11.7 S Compositing Planar MPR Volumetric Presentation State Storage
1.2.840.10008.5.1.4.1.1.11.8 S Advanced Blending Presentation State Storage
1.2.840.10008.5.1.4.1.1.11.9 S Volume Rendering Volumetric Presentation State Storage
1.2.840.10008.5.1.4.1.1.12.1 S X-Ray Angiographic Image Storage
1.2.840.10008.5.1.4.1.1.12.1.1 S Enhanced XA Image Storage
1.2.840.10008.5.1.4.1.1.12.2 S X-Ray Radiofluoroscopic Image Storage
1.2.840.10008.5.1.4.1.1.12.2.1 S Enhanced XRF Image Storage
1.2.840.10008.5.1.4.1.1.12.3 S X-Ray Angiographic Bi-Plane Image Storage (Retired)
1.2.840.10008.5.1.4.1.1.128 S Positron Emission Tomography Image Storage
1.2.840.10008.5.1.4.1.1.128.1 S Legacy Converted Enhanced PET Image Storage
1.2.840.10008.5.1.4.1.1.129 S Standalone PET Curve Storage (Retired)
1.2.840.10008.5.1.4.1.1.13.1.1 S X-Ray 3D Angiographic Image Storage
1.2.840.10008.5.1.4.1.1.13.1.2 S X-Ray 3D Craniofacial Image Storage
1.2.840.10008.5.1.4.1.1.13.1.3 S Breast Tomosynthesis Image Storage
1.2.840.10008.5.1.4.1.1.13.1.4 S Breast Projection X-Ray Image Storage - For Presentation
1.2.840.10008.5.1.4.1.1.13.1.5 S Breast Projection X-Ray Image Storage - For Processing
1.2.840.10008.5.1.4.1.1.130 S Enhanced PET Image Storage
1.2.840.10008.5.1.4.1.1.131 S Basic Structured Display Storage
1.2.840.10008.5.1.4.1.1.14.1 S Intravascular Optical Coherence Tomography Image Storage - For Presentation
1.2.840.10008.5.1.4.1.1.14.2 S Intravascular Optical Coherence Tomography Image Storage - For Processing
1.2.840.10008.5.1.4.1.1.2 S CT Image Storage
1.2.840.10008.5.1.4.1.1.2.1 S Enhanced CT Image Storage
1.2.840.10008.5.1.4.1.1.2.2 S Legacy Converted Enhanced CT Image Storage
1.2.840.10008.5.1.4.1.1.20 S Nuclear Medicine Image Storage
1.2.840.10008.5.1.4.1.1.200.1 S CT Defined Procedure Protocol Storage
1.2.840.10008.5.1.4.1.1.200.2 S CT Performed Procedure Protocol Storage
1.2.840.10008.5.1.4.1.1.200.3 S Protocol Approval Storage
1.2.840.10008.5.1.4.1.1.200.4 - Protocol Approval Information Model - FIND
1.2.840.10008.5.1.4.1.1.200.5 - Protocol Approval Information Model - MOVE
1.2.840.10008.5.1.4.1.1.200.6 - Protocol Approval Information Model - GET
1.2.840.10008.5.1.4.1.1.200.7 S XA Defined Procedure Protocol Storage
1.2.840.10008.5.1.4.1.1.200.8 S XA Performed Procedure Protocol Storage
1.2.840.10008.5.1.4.1.1.201.1 S Inventory Storage
1.2.840.10008.5.1.4.1.1.201.2 - Inventory - FIND
1.2.840.10008.5.1.4.1.1.201.3 - Inventory - MOVE
1.2.840.10008.5.1.4.1.1.201.4 - Inventory - GET
1.2.840.10008.5.1.4.1.1.3 S Ultrasound Multi-frame Image Storage (Retired)
1.2.840.10008.5.1.4.1.1.3.1 S Ultrasound Multi-frame Image Storage
1.2.840.10008.5.1.4.1.1.30 S Parametric Map Storage
1.2.840.10008.5.1.4.1.1.4 S MR Image Storage
1.2.840.10008.5.1.4.1.1.4.1 S Enhanced MR Image Storage
1.2.840.10008.5.1.4.1.1.4.2 S MR Spectroscopy Storage
1.2.840.10008.5.1.4.1.1.4.3 S Enhanced MR Color Image Storage
1.2.840.10008.5.1.4.1.1.4.4 S Legacy Converted Enhanced MR Image Storage
1.2.840.10008.5.1.4.1.1.481.1 S RT Image Storage
1.2.840.10008.5.1.4.1.1.481.10 S RT Physician Intent Storage
1.2.840.10008.5.1.4.1.1.481.11 S RT Segment Annotation Storage
1.2.840.10008.5.1.4.1.1.481.12 S RT Radiation Set Storage
1.2.840.10008.5.1.4.1.1.481.13 S C-Arm Photon-Electron Radiation Storage
1.2.840.10008.5.1.4.1.1.481.14 S Tomotherapeutic Radiation Storage
1.2.840.10008.5.1.4.1.1.481.15 S Robotic-Arm Radiation Storage
1.2.840.10008.5.1.4.1.1.481.16 S RT Radiation Record Set Storage
1.2.840.10008.5.1.4.1.1.481.17 S RT Radiation Salvage Record Storage
1.2.840.10008.5.1.4.1.1.481.18 S Tomotherapeutic Radiation Record Storage
1.2.840.10008.5.1.4.1.1.481.19 S C-Arm Photon-Electron Radiation Record Storage
1.2.840.10008.5.1.4.1.1.481.2 S RT Dose Storage
1.2.840.10008.5.1.4.1.1.481.20 S Robotic Radiation Record Storage
1.2.840.10008.5.1.4.1.1.481.21 S RT Radiation Set Delivery Instruction Storage
1.2.840.10008.5.1.4.1.1.481.22 S RT Treatment Preparation Storage
1.2.840.10008.5.1.4.1.1.481.23 S Enhanced RT Image Storage
1.2.840.10008.5.1.4.1.1.481.24 S Enhanced Continuous RT Image Storage
1.2.840.10008.5.1.4.1.1.481.25 S RT Patient Position Acquisition Instruction Storage
1.2.840.10008.5.1.4.1.1.481.3 S RT Structure Set Storage
1.2.840.10008.5.1.4.1.1.481.4 S RT Beams Treatment Record Storage
1.2.840.10008.5.1.4.1.1.481.5 S RT Plan Storage
1.2.840.10008.5.1.4.1.1.481.6 S RT Brachy Treatment Record Storage
1.2.840.10008.5.1.4.1.1.481.7 S RT Treatment Summary Record Storage
1.2.840.10008.5.1.4.1.1.481.8 S RT Ion Plan Storage
1.2.840.10008.5.1.4.1.1.481.9 S RT Ion Beams Treatment Record Storage
1.2.840.10008.5.1.4.1.1.5 S Nuclear Medicine Image Storage (Retired)
1.2.840.10008.5.1.4.1.1.6 S Ultrasound Image Storage (Retired)
1.2.840.10008.5.1.4.1.1.6.1 S Ultrasound Image Storage
1.2.840.10008.5.1.4.1.1.6.2 S Enhanced US Volume Storage
1.2.840.10008.5.1.4.1.1.6.3 S Photoacoustic Image Storage
1.2.840.10008.5.1.4.1.1.66 S Raw Data Storage
1.2.840.10008.5.1.4.1.1.66.1 S Spatial Registration Storage
1.2.840.10008.5.1.4.1.1.66.2 S Spatial Fiducials Storage
1.2.840.10008.5.1.4.1.1.66.3 S Deformable Spatial Registration Storage
1.2.840.10008.5.1.4.1.1.66.4 S Segmentation Storage
1.2.840.10008.5.1.4.1.1.66.5 S Surface Segmentation Storage
1.2.840.10008.5.1.4.1.1.66.6 S Tractography Results Storage
1.2.840.10008.5.1.4.1.1.67 S Real World Value Mapping Storage
1.2.840.10008.5.1.4.1.1.68.1 S Surface Scan Mesh Storage
1.2.840.10008.5.1.4.1.1.68.2 S Surface Scan Point Cloud Storage
1.2.840.10008.5.1.4.1.1.7 S Secondary Capture Image Storage
1.2.840.10008.5.1.4.1.1.7.1 S Multi-frame Single Bit Secondary Capture Image Storage
1.2.840.10008.5.1.4.1.1.7.2 S Multi-frame Grayscale Byte Secondary Capture Image Storage
1.2.840.10008.5.1.4.1.1.7.3 S Multi-frame Grayscale Word Secondary Capture Image Storage
1.2.840.10008.5.1.4.1.1.7.4 S Multi-frame True Color Secondary Capture Image Storage
1.2.840.10008.5.1.4.1.1.77.1 S VL Image Storage - Trial (Retired)
1.2.840.10008.5.1.4.1.1.77.1.1 S VL Endoscopic Image Storage
1.2.840.10008.5.1.4.1.1.77.1.1.1 S Video Endoscopic Image Storage
1.2.840.10008.5.1.4.1.1.77.1.2 S VL Microscopic Image Storage
1.2.840.10008.5.1.4.1.1.77.1.2.1 S Video Microscopic Image Storage
1.2.840.10008.5.1.4.1.1.77.1.3 S VL Slide-Coordinates Microscopic Image Storage
1.2.840.10008.5.1.4.1.1.77.1.4 S VL Photographic Image Storage
1.2.840.10008.5.1.4.1.1.77.1.4.1 S Video Photographic Image Storage
1.2.840.10008.5.1.4.1.1.77.1.5.1 S Ophthalmic Photography 8 Bit Image Storage
1.2.840.10008.5.1.4.1.1.77.1.5.2 S Ophthalmic Photography 16 Bit Image Storage
1.2.840.10008.5.1.4.1.1.77.1.5.3 S Stereometric Relationship Storage
1.2.840.10008.5.1.4.1.1.77.1.5.4 S Ophthalmic Tomography Image Storage
1.2.840.10008.5.1.4.1.1.77.1.5.5 S Wide Field Ophthalmic Photography Stereographic Projection Image Storage
1.2.840.10008.5.1.4.1.1.77.1.5.6 S Wide Field Ophthalmic Photography 3D Coordinates Image Storage
1.2.840.10008.5.1.4.1.1.77.1.5.7 S Ophthalmic Optical Coherence Tomography En Face Image Storage
1.2.840.10008.5.1.4.1.1.77.1.5.8 S Ophthalmic Optical Coherence Tomography B-scan Volume Analysis Storage
1.2.840.10008.5.1.4.1.1.77.1.6 S VL Whole Slide Microscopy Image Storage
1.2.840.10008.5.1.4.1.1.77.1.7 S Dermoscopic Photography Image Storage
1.2.840.10008.5.1.4.1.1.77.1.8 S Confocal Microscopy Image Storage
1.2.840.10008.5.1.4.1.1.77.1.9 S Confocal Microscopy Tiled Pyramidal Image Storage
1.2.840.10008.5.1.4.1.1.77.2 S VL Multi-frame Image Storage - Trial (Retired)
1.2.840.10008.5.1.4.1.1.78.1 S Lensometry Measurements Storage
1.2.840.10008.5.1.4.1.1.78.2 S Autorefraction Measurements Storage
1.2.840.10008.5.1.4.1.1.78.3 S Keratometry Measurements Storage
1.2.840.10008.5.1.4.1.1.78.4 S Subjective Refraction Measurements Storage
1.2.840.10008.5.1.4.1.1.78.5 S Visual Acuity Measurements Storage
1.2.840.10008.5.1.4.1.1.78.6 S Spectacle Prescription Report Storage
1.2.840.10008.5.1.4.1.1.78.7 S Ophthalmic Axial Measurements Storage
1.2.840.10008.5.1.4.1.1.78.8 S Intraocular Lens Calculations Storage
1.2.840.10008.5.1.4.1.1.79.1 S Macular Grid Thickness and Volume Report
1.2.840.10008.5.1.4.1.1.8 S Standalone Overlay Storage (Retired)
1.2.840.10008.5.1.4.1.1.80.1 S Ophthalmic Visual Field Static Perimetry Measurements Storage
1.2.840.10008.5.1.4.1.1.81.1 S Ophthalmic Thickness Map Storage
1.2.840.10008.5.1.4.1.1.82.1 S Corneal Topography Map Storage
1.2.840.10008.5.1.4.1.1.88.1 S Text SR Storage - Trial (Retired)
1.2.840.10008.5.1.4.1.1.88.11 S Basic Text SR Storage
1.2.840.10008.5.1.4.1.1.88.2 S Audio SR Storage - Trial (Retired)
1.2.840.10008.5.1.4.1.1.88.22 S Enhanced SR Storage
1.2.840.10008.5.1.4.1.1.88.3 S Detail SR Storage - Trial (Retired)
1.2.840.10008.5.1.4.1.1.88.33 S Comprehensive SR Storage
1.2.840.10008.5.1.4.1.1.88.34 S Comprehensive 3D SR Storage
1.2.840.10008.5.1.4.1.1.88.35 S Extensible SR Storage
1.2.840.10008.5.1.4.1.1.88.4 S Comprehensive SR Storage - Trial (Retired)
1.2.840.10008.5.1.4.1.1.88.40 S Procedure Log Storage
1.2.840.10008.5.1.4.1.1.88.50 S Mammography CAD SR Storage
1.2.840.10008.5.1.4.1.1.88.59 S Key Object Selection Document Storage
1.2.840.10008.5.1.4.1.1.88.65 S Chest CAD SR Storage
1.2.840.10008.5.1.4.1.1.88.67 S X-Ray Radiation Dose SR Storage
1.2.840.10008.5.1.4.1.1.88.68 S Radiopharmaceutical Radiation Dose SR Storage
1.2.840.10008.5.1.4.1.1.88.69 S Colon CAD SR Storage
1.2.840.10008.5.1.4.1.1.88.70 S Implantation Plan SR Storage
1.2.840.10008.5.1.4.1.1.88.71 S Acquisition Context SR Storage
1.2.840.10008.5.1.4.1.1.88.72 S Simplified Adult Echo SR Storage
1.2.840.10008.5.1.4.1.1.88.73 S Patient Radiation Dose SR Storage
1.2.840.10008.5.1.4.1.1.88.74 S Planned Imaging Agent Administration SR Storage
1.2.840.10008.5.1.4.1.1.88.75 S Performed Imaging Agent Administration SR Storage
1.2.840.10008.5.1.4.1.1.88.76 S Enhanced X-Ray Radiation Dose SR Storage
1.2.840.10008.5.1.4.1.1.9 S Standalone Curve Storage (Retired)
1.2.840.10008.5.1.4.1.1.9.1 S Waveform Storage - Trial (Retired)
1.2.840.10008.5.1.4.1.1.9.1.1 S 12-lead ECG Waveform Storage
1.2.840.10008.5.1.4.1.1.9.1.2 S General ECG Waveform Storage
1.2.840.10008.5.1.4.1.1.9.1.3 S Ambulatory ECG Waveform Storage
1.2.840.10008.5.1.4.1.1.9.1.4 S General 32-bit ECG Waveform Storage
1.2.840.10008.5.1.4.1.1.9.2.1 S Hemodynamic Waveform Storage
1.2.840.10008.5.1.4.1.1.9.3.1 S Cardiac Electrophysiology Waveform Storage
1.2.840.10008.5.1.4.1.1.9.4.1 S Basic Voice Audio Waveform Storage
1.2.840.10008.5.1.4.1.1.9.4.2 S General Audio Waveform Storage
1.2.840.10008.5.1.4.1.1.9.5.1 S Arterial Pulse Waveform Storage
1.2.840.10008.5.1.4.1.1.9.6.1 S Respiratory Waveform Storage
1.2.840.10008.5.1.4.1.1.9.6.2 S Multi-channel Respiratory Waveform Storage
1.2.840.10008.5.1.4.1.1.9.7.1 S Routine Scalp Electroencephalogram Waveform Storage
1.2.840.10008.5.1.4.1.1.9.7.2 S Electromyogram Waveform Storage
1.2.840.10008.5.1.4.1.1.9.7.3 S Electrooculogram Waveform Storage
1.2.840.10008.5.1.4.1.1.9.7.4 S Sleep Electroencephalogram Waveform Storage
1.2.840.10008.5.1.4.1.1.9.8.1 S Body Position Waveform Storage
1.2.840.10008.5.1.4.1.1.90.1 S Content Assessment Results Storage
1.2.840.10008.5.1.4.1.1.91.1 S Microscopy Bulk Simple Annotations Storage
1.2.840.10008.5.1.4.1.2.1.1 - Patient Root Query/Retrieve Information Model - FIND
1.2.840.10008.5.1.4.1.2.1.2 - Patient Root Query/Retrieve Information Model - MOVE
1.2.840.10008.5.1.4.1.2.1.3 - Patient Root Query/Retrieve Information Model - GET
1.2.840.10008.5.1.4.1.2.2.1 - Study Root Query/Retrieve Information Model - FIND
1.2.840.10008.5.1.4.1.2.2.2 - Study Root Query/Retrieve Information Model - MOVE
1.2.840.10008.5.1.4.1.2.2.3 - Study Root Query/Retrieve Information Model - GET
1.2.840.10008.5.1.4.1.2.3.1 - Patient/Study Only Query/Retrieve Information Model - FIND (Retired)
1.2.840.10008.5.1.4.1.2.3.2 - Patient/Study Only Query/Retrieve Information Model - MOVE (Retired)
1.2.840.10008.5.1.4.1.2.3.3 - Patient/Study Only Query/Retrieve Information Model - GET (Retired)
1.2.840.10008.5.1.4.1.2.4.2 - Composite Instance Root Retrieve - MOVE
1.2.840.10008.5.1.4.1.2.4.3 - Composite Instance Root Retrieve - GET
1.2.840.10008.5.1.4.1.2.5.3 - Composite Instance Retrieve Without Bulk Data - GET
1.2.840.10008.5.1.4.20.1 - Defined Procedure Protocol Information Model - FIND
1.2.840.10008.5.1.4.20.2 - Defined Procedure Protocol Information Model - MOVE
1.2.840.10008.5.1.4.20.3 - Defined Procedure Protocol Information Model - GET
1.2.840.10008.5.1.4.31 - Modality Worklist Information Model - FIND
1.2.840.10008.5.1.4.32.1 - General Purpose Worklist Information Model - FIND (Retired)
1.2.840.10008.5.1.4.33 - Instance Availability Notification
1.2.840.10008.5.1.4.34.1 S RT Beams Delivery Instruction Storage - Trial (Retired)
1.2.840.10008.5.1.4.34.10 S RT Brachy Application Setup Delivery Instruction Storage
1.2.840.10008.5.1.4.34.6.1 - Unified Procedure Step - Push
1.2.840.10008.5.1.4.34.6.2 - Unified Procedure Step - Watch
1.2.840.10008.5.1.4.34.6.3 - Unified Procedure Step - Pull
1.2.840.10008.5.1.4.34.6.4 - Unified Procedure Step - Event
1.2.840.10008.5.1.4.34.6.5 - Unified Procedure Step - Query
1.2.840.10008.5.1.4.34.7 S RT Beams Delivery Instruction Storage
1.2.840.10008.5.1.4.37.1 - General Relevant Patient Information Query
1.2.840.10008.5.1.4.37.2 - Breast Imaging Relevant Patient Information Query
1.2.840.10008.5.1.4.37.3 - Cardiac Relevant Patient Information Query
1.2.840.10008.5.1.4.38.1 S Hanging Protocol Storage
1.2.840.10008.5.1.4.38.2 - Hanging Protocol Information Model - FIND
1.2.840.10008.5.1.4.38.3 - Hanging Protocol Information Model - MOVE
1.2.840.10008.5.1.4.38.4 - Hanging Protocol Information Model - GET
1.2.840.10008.5.1.4.39.1 S Color Palette Storage
1.2.840.10008.5.1.4.39.2 - Color Palette Query/Retrieve Information Model - FIND
1.2.840.10008.5.1.4.39.3 - Color Palette Query/Retrieve Information Model - MOVE
1.2.840.10008.5.1.4.39.4 - Color Palette Query/Retrieve Information Model - GET
1.2.840.10008.5.1.4.41 - Product Characteristics Query
1.2.840.10008.5.1.4.42 - Substance Approval Query
1.2.840.10008.5.1.4.43.1 S Generic Implant Template Storage
1.2.840.10008.5.1.4.43.2 - Generic Implant Template Information Model - FIND
1.2.840.10008.5.1.4.43.3 - Generic Implant Template Information Model - MOVE
1.2.840.10008.5.1.4.43.4 - Generic Implant Template Information Model - GET
1.2.840.10008.5.1.4.44.1 S Implant Assembly Template Storage
1.2.840.10008.5.1.4.45.1 S Implant Template Group Storage`;
