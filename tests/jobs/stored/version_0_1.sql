BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0002');
CREATE TABLE api_keys (
	api_key_id VARCHAR(22) NOT NULL, 
	user_id VARCHAR(22) NOT NULL, 
	organization_id VARCHAR(22) NOT NULL, 
	label VARCHAR(64), 
	digest BLOB NOT NULL, 
	redacted VARCHAR(16) NOT NULL, 
	created_at DATETIME NOT NULL, 
	revoked_at DATETIME, 
	CONSTRAINT pk_api_keys PRIMARY KEY (api_key_id), 
	CONSTRAINT fk_api_keys_organization_id_organizations FOREIGN KEY(organization_id) REFERENCES organizations (organization_id), 
	CONSTRAINT fk_api_keys_user_id_users FOREIGN KEY(user_id) REFERENCES users (user_id), 
	CONSTRAINT uq_api_keys_digest UNIQUE (digest)
);
INSERT INTO "api_keys" VALUES('BUUs5ss8R8qYrksZqnQVIA','V6o9XPE7RfWRsj5ocDHcSg','GZeoR6RrQW-jR68oMGVhEQ',NULL,X'BA3C7D0C114EE6268990639D035AB9F265E31956DF511F851A2E0004DFD47EDF','lino_cRM_•••','2026-11-28 22:27:17.855362',NULL);
CREATE TABLE assets (
	asset_id VARCHAR(22) NOT NULL, 
	dataset_id VARCHAR(22) NOT NULL, 
	position INTEGER NOT NULL, 
	file_name VARCHAR(255) NOT NULL, 
	stem VARCHAR(255) NOT NULL, 
	source_sha256 VARCHAR(64) NOT NULL, 
	image_sha256 VARCHAR(64) NOT NULL, 
	width INTEGER NOT NULL, 
	height INTEGER NOT NULL, 
	file_size_bytes INTEGER NOT NULL, 
	caption TEXT, 
	caption_is_json BOOLEAN DEFAULT '0' NOT NULL, 
	created_at DATETIME NOT NULL, measures JSON, 
	CONSTRAINT pk_assets PRIMARY KEY (asset_id), 
	CONSTRAINT fk_assets_dataset_id_datasets FOREIGN KEY(dataset_id) REFERENCES datasets (dataset_id), 
	CONSTRAINT uq_assets_dataset_id_file_name UNIQUE (dataset_id, file_name), 
	CONSTRAINT uq_assets_dataset_id_source_sha256 UNIQUE (dataset_id, source_sha256)
);
INSERT INTO "assets" VALUES('XW-TqFT5TGqB1BzbHKSvvA','UrluNSLmR16XWqqDMGTaFQ',1,'p0.png','p0','ec4bae9fc9a2a5e4e3c6b879482ba1dff8a885ebcc04afceffb9f421cc2b8eda','a071b9858ccf1727ab99bbad9d32e284fe3e015604d9aa298af6b7a341488fd0',48,32,85,'a tea poster',0,'2026-11-28 22:27:20.549093','{"way":"1: 48x32 cut 48x32+0+0","likeness":["0000000000000000801f803f80ff81ff81ff83ff87ff87ff87ff87ff87ff8fff","0000000000000000801f803f80ff81ff81ff83ff87ff87ff87ff87ff87ff8fff","0000000000000000801f803f80ff81ff81ff83ff87ff87ff87ff87ff87ff8fff","0000000000000000000000000000000000000000000000000000000000000000","0000000000000000000000000000000000000000000000000000000000000000","0000000000000000000000000000000000000000000000000000000000000000","0000000000000000000000000000000000000000000000000000000000000000","0000000000000000801f803f80ff81ff81ff83ff87ff87ff87ff87ff87ff8fff","0000000000000000000000000000000000000000000000000000000000000000","0000000000000000000000000000000000000000000000000000000000000000","0000000000000000000000000000000000000000000000000000000000000000","0000000000000000000000000000000000000000000000000000000000000000","000000008007801f803f807f80ff80ff81ff81ff81ff81ff83ff83ff83ff83ff","0000000000000000000000000000000000000000000000000000000000000000","0000000000000000000000000000000000000000000000000000000000000000","0000000000000000000000000000000000000000000000000000000000000000"],"sharpness":1.0}');
INSERT INTO "assets" VALUES('yKTZQq4YShyRGWwvdm-2Og','UrluNSLmR16XWqqDMGTaFQ',2,'p1.png','p1','624e176b462a6bf896154c735fc0d53e4e780b5d9c3252fad64266e98445ca74','71ff76107735ae8d096e928a70f7df3878407215538efca050600d94c6437a2e',48,32,134,'a tea poster',0,'2026-11-28 22:27:20.930986','{"way":"1: 48x32 cut 48x32+0+0","likeness":["0000000000000000000000000000003f83ff9fffffffffffffffffffffffffff","0000000000000001801f803f80ff81ff81ff83ff87ff87ff87ff87ff87ff8fff","0000000000000000000000000000003f83ff9fffffffffffffffffffffffffff","0000000000000001801f803f80ff81ff81ff83ff87ff87ff87ff87ff87ff8fff","4dca3031b234cdcb5dce3234cdce4dce4dcb3234b230cdcb3234cdcb3234b235","4dca3031b234cdcb5dce3234cdce4dce4dcb3234b230cdcb3234cdcb3234b235","4dca3031b234cdcb5dce3234cdce4dce4dcb3234b230cdcb3234cdcb3234b235","0000000000000000000000000000001f87ff9fffffffffffffffffffffffffff","4dca3031b234cdcb5dce3234cdce4dce4dcb3234b230cdcb3234cdcb3234b235","4dca3031b234cdcb5dce3234cdce4dce4dcb3234b230cdcb3234cdcb3234b235","4dca3031b234cdcb5dce3234cdce4dce4dcb3234b230cdcb3234cdcb3234b235","4dca3031b234cdcb5dce3234cdce4dce4dcb3234b230cdcb3234cdcb3234b235","0000000000000000000000000000007f83ff9fffbfffffffffffffffffffffff","4dca3031b234cdcb5dce3234cdce4dce4dcb3234b230cdcb3234cdcb3234b235","4dca3031b234cdcb5dce3234cdce4dce4dcb3234b230cdcb3234cdcb3234b235","4dca3031b234cdcb5dce3234cdce4dce4dcb3234b230cdcb3234cdcb3234b235"],"sharpness":1.0}');
INSERT INTO "assets" VALUES('Y1uXzF9ET8OgKdaKr3mRhg','UrluNSLmR16XWqqDMGTaFQ',3,'z2.png','z2','83df5fa215d39c008a74293eaff1103d7d24016f74dc886d876d032d6da95bb6','d16433cc31cf351a0cd691cc267dee286bb5d6987238294a46a7b9671a0ce667',48,32,134,'a tea poster, green',0,'2026-11-28 22:27:21.311957','{"way":"1: 48x32 cut 48x32+0+0","likeness":["00000000000000000000000000000000bfffffffffffffffffffffffffffffff","000000000000000000000000000000038fffffffffffffffffffffffffffffff","00000000000000000000000000000000bfffffffffffffffffffffffffffffff","000000000000000000000000003f81ff83ff8fff8fff9fffbfffbfffbfffbfff","4dca223580004dc64dc83231ddce4dcb4dcb3231b234cdcb3234cdcb3231a235","4dca223580004dc64dc83231ddce4dcb4dcb3231b234cdcb3234cdcb3231a235","4dca223580004dc64dc83231ddce4dcb4dcb3231b234cdcb3234cdcb3231a235","000000000000000000000000000000007fffffffffffffffffffffffffffffff","0000000000000001801f803f80ff81ff81ff83ff87ff87ff87ff87ff87ff8fff","4dca223580004dc64dc83231ddce4dcb4dcb3231b234cdcb3234cdcb3231a235","4dca223580004dc64dc83231ddce4dcb4dcb3231b234cdcb3234cdcb3231a235","4dca223580004dc64dc83231ddce4dcb4dcb3231b234cdcb3234cdcb3231a235","000000000000000000000000000000007fffffffffffffffffffffffffffffff","4dca223580004dc64dc83231ddce4dcb4dcb3231b234cdcb3234cdcb3231a235","4dca223580004dc64dc83231ddce4dcb4dcb3231b234cdcb3234cdcb3231a235","4dca223580004dc64dc83231ddce4dcb4dcb3231b234cdcb3234cdcb3231a235"],"sharpness":1.0}');
INSERT INTO "assets" VALUES('6wHunTIeTlO0fwrjxCwgOQ','UrluNSLmR16XWqqDMGTaFQ',4,'z3.png','z3','344c042302eec92a2a2a7832ef13f3012ecb39f7565e7821d4dd07b2ea12bea0','6f795860898675b41b1539a00c801fa7901748e6eac1bb046b95e6a34d2d5e88',48,32,137,NULL,0,'2026-11-28 22:27:21.573003','{"way":"1: 48x32 cut 48x32+0+0","likeness":["000000000000000000000000000000007fffffffffffffffffffffffffffffff","000000000000000000000000000000007fffffffffffffffffffffffffffffff","000000000000000000000000000000007fffffffffffffffffffffffffffffff","00000000000000000000000000000000bfffffffffffffffffffffffffffffff","4dca3235a230cdcf4dcf3231cdcb4dcb4dcb2231b234a230cdc34dce3234b239","4dca3235a230cdcf4dcf3231cdcb4dcb4dcb2231b234a230cdc34dce3234b239","4dca3235a230cdcf4dcf3231cdcb4dcb4dcb2231b234a230cdc34dce3234b239","000000000000000000000000000000007fffffffffffffffffffffffffffffff","0000000000000000801f803f80ff81ff81ff83ff87ff87ff87ff87ff8fff8fff","4dca3235a230cdcf4dcf3231cdcb4dcb4dcb2231b234a230cdc34dce3234b239","4dca3235a230cdcf4dcf3231cdcb4dcb4dcb2231b234a230cdc34dce3234b239","4dca3235a230cdcf4dcf3231cdcb4dcb4dcb2231b234a230cdc34dce3234b239","000000000000000000000000000000007fffffffffffffffffffffffffffffff","4dca3235a230cdcf4dcf3231cdcb4dcb4dcb2231b234a230cdc34dce3234b239","4dca3235a230cdcf4dcf3231cdcb4dcb4dcb2231b234a230cdc34dce3234b239","4dca3235a230cdcf4dcf3231cdcb4dcb4dcb2231b234a230cdc34dce3234b239"],"sharpness":1.0}');
CREATE TABLE datasets (
	dataset_id VARCHAR(22) NOT NULL, 
	user_id VARCHAR(22) NOT NULL, 
	name VARCHAR(64) NOT NULL, 
	image_count INTEGER DEFAULT '0' NOT NULL, 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, 
	deleted_at DATETIME, 
	CONSTRAINT pk_datasets PRIMARY KEY (dataset_id), 
	CONSTRAINT fk_datasets_user_id_users FOREIGN KEY(user_id) REFERENCES users (user_id)
);
INSERT INTO "datasets" VALUES('UrluNSLmR16XWqqDMGTaFQ','V6o9XPE7RfWRsj5ocDHcSg','Tea posters',4,'2026-11-28 22:27:18.627162','2026-11-28 22:27:21.636534',NULL);
CREATE TABLE idempotency_keys (
	api_key_id VARCHAR(22) NOT NULL, 
	route VARCHAR(128) NOT NULL, 
	"key" VARCHAR(255) NOT NULL, 
	body_sha256 VARCHAR(64) NOT NULL, 
	answer JSON NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_idempotency_keys PRIMARY KEY (api_key_id, route, "key")
);
INSERT INTO "idempotency_keys" VALUES('BUUs5ss8R8qYrksZqnQVIA','/v1/ideogram-v3/generate','kept','31abd6776cee6fa6c83a730a5a75215cf5adb40044340677bfcbb0d49bda93a6','{"answer":"{\"placed\":{\"job_id\":\"H0QT2exvRB2sV71i4Lxryw\",\"prompt_out\":\"{\\\"high_level_description\\\":\\\"a tea poster\\\",\\\"compositional_deconstruction\\\":{\\\"background\\\":\\\"plain cream\\\",\\\"elements\\\":[{\\\"type\\\":\\\"obj\\\",\\\"bbox\\\":[179,171,820,812],\\\"desc\\\":\\\"a blue tea\\\",\\\"color_palette\\\":[\\\"#2358CE\\\"]}]}}\",\"width\":1024,\"height\":1024,\"seeds\":[7,8],\"native\":[128,128]},\"base\":\"ideogram4@e3b0c44298fc1c14\",\"origin\":\"http://127.0.0.1:42355\"}"}','2026-11-28 22:27:22.016997');
INSERT INTO "idempotency_keys" VALUES('BUUs5ss8R8qYrksZqnQVIA','/v1/ideogram-v4/generate','kept','e35678bced12d4e1384fcf19c2cc37458b5b37a174d69ca7781df4742c21bb8b','{"answer":"{\"placed\":{\"job_id\":\"MLgkIJ2gRBKpKnI1_5-c_w\",\"prompt_out\":\"{\\\"high_level_description\\\":\\\"a tea poster\\\",\\\"compositional_deconstruction\\\":{\\\"background\\\":\\\"plain cream\\\",\\\"elements\\\":[{\\\"type\\\":\\\"obj\\\",\\\"bbox\\\":[268,142,735,842],\\\"desc\\\":\\\"a blue tea\\\",\\\"color_palette\\\":[\\\"#2358CE\\\"]}]}}\",\"width\":1664,\"height\":2496,\"seeds\":[8],\"native\":[96,144]},\"base\":\"ideogram4@e3b0c44298fc1c14\",\"origin\":\"http://127.0.0.1:42355\"}"}','2026-11-28 22:27:22.059098');
CREATE TABLE images (
	image_id VARCHAR(22) NOT NULL, 
	job_id VARCHAR(22) NOT NULL, 
	image_sha256 VARCHAR(64) NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_images PRIMARY KEY (image_id)
);
CREATE TABLE jobs (
	job_id VARCHAR(22) NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	organization_id VARCHAR(22) NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	"order" TEXT NOT NULL, 
	images INTEGER NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	progress_mark INTEGER DEFAULT '0' NOT NULL, 
	cancel_requested BOOLEAN DEFAULT '0' NOT NULL, 
	worker_id VARCHAR(64), 
	lease_token INTEGER DEFAULT '0' NOT NULL, 
	lease_expires_at DATETIME, 
	result JSON, 
	error JSON, 
	created_at DATETIME NOT NULL, 
	started_at DATETIME, 
	finished_at DATETIME, 
	CONSTRAINT pk_jobs PRIMARY KEY (job_id)
);
INSERT INTO "jobs" VALUES('sbFzc7yaTRWMnxipIX-Fow','train','GZeoR6RrQW-jR68oMGVhEQ','QUEUED','{"type":"train","base":"ideogram4@e3b0c44298fc1c14","organization_id":"GZeoR6RrQW-jR68oMGVhEQ","run_id":"Z8vjTynjTKiMo9KgnNOhQg","samples":[{"image_sha256":"6f795860898675b41b1539a00c801fa7901748e6eac1bb046b95e6a34d2d5e88","width":48,"height":32,"caption":"{\"high_level_description\":\"\",\"compositional_deconstruction\":{\"background\":\"plain mint\",\"elements\":[{\"type\":\"obj\",\"bbox\":[180,284,821,711],\"desc\":\"a red shape\",\"color_palette\":[\"#DC2A2A\"]}]}}"},{"image_sha256":"71ff76107735ae8d096e928a70f7df3878407215538efca050600d94c6437a2e","width":48,"height":32,"caption":"{\"high_level_description\":\"a tea poster\",\"compositional_deconstruction\":{\"background\":\"plain cream\",\"elements\":[{\"type\":\"obj\",\"bbox\":[179,281,820,708],\"desc\":\"a blue tea\",\"color_palette\":[\"#2358CE\"]}]}}"},{"image_sha256":"a071b9858ccf1727ab99bbad9d32e284fe3e015604d9aa298af6b7a341488fd0","width":48,"height":32,"caption":"{\"high_level_description\":\"a tea poster\",\"compositional_deconstruction\":{\"background\":\"plain cream\",\"elements\":[{\"type\":\"obj\",\"bbox\":[179,281,820,708],\"desc\":\"a blue tea\",\"color_palette\":[\"#2358CE\"]}]}}"},{"image_sha256":"d16433cc31cf351a0cd691cc267dee286bb5d6987238294a46a7b9671a0ce667","width":48,"height":32,"caption":"{\"high_level_description\":\"a tea poster, green\",\"compositional_deconstruction\":{\"background\":\"plain pink\",\"elements\":[{\"type\":\"obj\",\"bbox\":[182,297,823,725],\"desc\":\"a green tea\",\"color_palette\":[\"#2E9E44\"]}]}}"}],"holdout":[1],"seed":1089516212,"steps":60,"rank":16,"alpha":16.0,"learning_rate":0.002,"batch_size":8,"ema":0.99,"caption_dropout":0.1,"weight_decay":0.0001,"warmup_steps":6,"clip_norm":1.0,"sigma_mean":1.1,"sigma_std":1.2,"native_pixels":128,"size_multiple":16,"checkpoint_every":6,"preview_every":12,"previews":[{"caption":"{\"high_level_description\":\"a tea poster\",\"compositional_deconstruction\":{\"background\":\"plain cream\",\"elements\":[{\"type\":\"obj\",\"bbox\":[179,281,820,708],\"desc\":\"a blue tea\",\"color_palette\":[\"#2358CE\"]}]}}","seed":101},{"caption":"{\"high_level_description\":\"\",\"compositional_deconstruction\":{\"background\":\"plain mint\",\"elements\":[{\"type\":\"obj\",\"bbox\":[180,284,821,711],\"desc\":\"a red shape\",\"color_palette\":[\"#DC2A2A\"]}]}}","seed":102},{"caption":"{\"high_level_description\":\"a tea poster, green\",\"compositional_deconstruction\":{\"background\":\"plain pink\",\"elements\":[{\"type\":\"obj\",\"bbox\":[182,297,823,725],\"desc\":\"a green tea\",\"color_palette\":[\"#2E9E44\"]}]}}","seed":103}],"preview_steps":24,"preview_guidance":1.5,"preview_mu":2.6,"preview_std":1.4}',0,0,0,0,NULL,0,NULL,NULL,NULL,'2026-11-28 22:27:21.757187',NULL,NULL);
INSERT INTO "jobs" VALUES('H0QT2exvRB2sV71i4Lxryw','generate','GZeoR6RrQW-jR68oMGVhEQ','QUEUED','{"type":"generate","base":"ideogram4@e3b0c44298fc1c14","organization_id":"GZeoR6RrQW-jR68oMGVhEQ","caption":"{\"high_level_description\":\"a tea poster\",\"compositional_deconstruction\":{\"background\":\"plain cream\",\"elements\":[{\"type\":\"obj\",\"bbox\":[179,171,820,812],\"desc\":\"a blue tea\",\"color_palette\":[\"#2358CE\"]}]}}","width":128,"height":128,"output_width":1024,"output_height":1024,"seeds":[7,8],"steps":24,"guidance":1.5,"mu":2.6,"std":1.4,"adapter":null}',2,0,0,0,NULL,0,NULL,NULL,NULL,'2026-11-28 22:27:21.967703',NULL,NULL);
INSERT INTO "jobs" VALUES('MLgkIJ2gRBKpKnI1_5-c_w','generate','GZeoR6RrQW-jR68oMGVhEQ','QUEUED','{"type":"generate","base":"ideogram4@e3b0c44298fc1c14","organization_id":"GZeoR6RrQW-jR68oMGVhEQ","caption":"{\"high_level_description\":\"a tea poster\",\"compositional_deconstruction\":{\"background\":\"plain cream\",\"elements\":[{\"type\":\"obj\",\"bbox\":[268,142,735,842],\"desc\":\"a blue tea\",\"color_palette\":[\"#2358CE\"]}]}}","width":96,"height":144,"output_width":1664,"output_height":2496,"seeds":[8],"steps":24,"guidance":1.5,"mu":2.6,"std":1.4,"adapter":null}',1,0,0,0,NULL,0,NULL,NULL,NULL,'2026-11-28 22:27:22.058319',NULL,NULL);
CREATE TABLE members (
	organization_id VARCHAR(22) NOT NULL, 
	user_id VARCHAR(22) NOT NULL, 
	role VARCHAR(16) NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_members PRIMARY KEY (organization_id, user_id), 
	CONSTRAINT fk_members_organization_id_organizations FOREIGN KEY(organization_id) REFERENCES organizations (organization_id), 
	CONSTRAINT fk_members_user_id_users FOREIGN KEY(user_id) REFERENCES users (user_id)
);
INSERT INTO "members" VALUES('GZeoR6RrQW-jR68oMGVhEQ','V6o9XPE7RfWRsj5ocDHcSg','OWNER','2026-11-28 22:27:17.854146');
CREATE TABLE model_events (
	event_id INTEGER NOT NULL, 
	model_id VARCHAR(22) NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	data JSON NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_model_events PRIMARY KEY (event_id), 
	CONSTRAINT fk_model_events_model_id_models FOREIGN KEY(model_id) REFERENCES models (model_id)
);
INSERT INTO "model_events" VALUES(1,'OsrgKwbpRPmPWKht8NLKOw','status','{"status":"CREATING","run_status":"PREPARING_DATA","error":null}','2026-11-28 22:27:21.859631');
INSERT INTO "model_events" VALUES(2,'OsrgKwbpRPmPWKht8NLKOw','status','{"status":"CREATING","run_status":"QUEUED","error":null}','2026-11-28 22:27:21.875367');
CREATE TABLE model_shares (
	model_id VARCHAR(22) NOT NULL, 
	organization_id VARCHAR(22) NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_model_shares PRIMARY KEY (model_id, organization_id), 
	CONSTRAINT fk_model_shares_model_id_models FOREIGN KEY(model_id) REFERENCES models (model_id), 
	CONSTRAINT fk_model_shares_organization_id_organizations FOREIGN KEY(organization_id) REFERENCES organizations (organization_id)
);
CREATE TABLE models (
	model_id VARCHAR(22) NOT NULL, 
	user_id VARCHAR(22) NOT NULL, 
	dataset_id VARCHAR(22), 
	name VARCHAR(64) NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	error TEXT, 
	base VARCHAR(64) NOT NULL, 
	first_version INTEGER NOT NULL, 
	slug VARCHAR(64), 
	version INTEGER, 
	adapter_sha256 VARCHAR(64), 
	adapter_bytes INTEGER, 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, 
	CONSTRAINT pk_models PRIMARY KEY (model_id), 
	CONSTRAINT fk_models_user_id_users FOREIGN KEY(user_id) REFERENCES users (user_id), 
	CONSTRAINT uq_models_slug_version UNIQUE (slug, version)
);
INSERT INTO "models" VALUES('OsrgKwbpRPmPWKht8NLKOw','V6o9XPE7RfWRsj5ocDHcSg','UrluNSLmR16XWqqDMGTaFQ','Tea posters','CREATING',NULL,'ideogram4@e3b0c44298fc1c14',1,NULL,NULL,NULL,NULL,'2026-11-28 22:27:21.735112','2026-11-28 22:27:21.735112');
CREATE TABLE organizations (
	organization_id VARCHAR(22) NOT NULL, 
	name VARCHAR(64) NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_organizations PRIMARY KEY (organization_id), 
	CONSTRAINT uq_organizations_name UNIQUE (name)
);
INSERT INTO "organizations" VALUES('GZeoR6RrQW-jR68oMGVhEQ','home','2026-11-28 22:27:17.853285');
CREATE TABLE run_images (
	run_id VARCHAR(22) NOT NULL, 
	image_sha256 VARCHAR(64) NOT NULL, 
	CONSTRAINT pk_run_images PRIMARY KEY (run_id, image_sha256), 
	CONSTRAINT fk_run_images_run_id_training_runs FOREIGN KEY(run_id) REFERENCES training_runs (run_id)
);
INSERT INTO "run_images" VALUES('Z8vjTynjTKiMo9KgnNOhQg','6f795860898675b41b1539a00c801fa7901748e6eac1bb046b95e6a34d2d5e88');
INSERT INTO "run_images" VALUES('Z8vjTynjTKiMo9KgnNOhQg','71ff76107735ae8d096e928a70f7df3878407215538efca050600d94c6437a2e');
INSERT INTO "run_images" VALUES('Z8vjTynjTKiMo9KgnNOhQg','a071b9858ccf1727ab99bbad9d32e284fe3e015604d9aa298af6b7a341488fd0');
INSERT INTO "run_images" VALUES('Z8vjTynjTKiMo9KgnNOhQg','d16433cc31cf351a0cd691cc267dee286bb5d6987238294a46a7b9671a0ce667');
CREATE TABLE secrets (
	name VARCHAR(32) NOT NULL, 
	value BLOB NOT NULL, 
	CONSTRAINT pk_secrets PRIMARY KEY (name)
);
INSERT INTO "secrets" VALUES('links',X'2AF4A153243600002A484CB5FDAD6EDF9C552F7FF9384FD76AF85C59DE138068');
INSERT INTO "secrets" VALUES('digest',X'2E7D4B0DFF7A27AF0DAE75C6299E94B30B53AC93CEE33CA542785503A776C43F');
CREATE TABLE slugs (
	slug VARCHAR(64) NOT NULL, 
	user_id VARCHAR(22) NOT NULL, 
	next_version INTEGER NOT NULL, 
	CONSTRAINT pk_slugs PRIMARY KEY (slug), 
	CONSTRAINT fk_slugs_user_id_users FOREIGN KEY(user_id) REFERENCES users (user_id)
);
CREATE TABLE training_runs (
	run_id VARCHAR(22) NOT NULL, 
	model_id VARCHAR(22) NOT NULL, 
	job_id VARCHAR(22) NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	training_steps INTEGER NOT NULL, 
	lora_rank INTEGER NOT NULL, 
	ema FLOAT NOT NULL, 
	learning_rate FLOAT NOT NULL, 
	seed INTEGER NOT NULL, 
	step INTEGER DEFAULT '0' NOT NULL, 
	loss FLOAT, 
	eta_seconds INTEGER, 
	stopped_at_step INTEGER, 
	scores JSON NOT NULL, 
	error TEXT, 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, 
	CONSTRAINT pk_training_runs PRIMARY KEY (run_id), 
	CONSTRAINT fk_training_runs_model_id_models FOREIGN KEY(model_id) REFERENCES models (model_id)
);
INSERT INTO "training_runs" VALUES('Z8vjTynjTKiMo9KgnNOhQg','OsrgKwbpRPmPWKht8NLKOw','sbFzc7yaTRWMnxipIX-Fow','QUEUED',60,16,0.99,0.002,1089516212,0,NULL,NULL,NULL,'{}',NULL,'2026-11-28 22:27:21.776804','2026-11-28 22:27:21.873920');
CREATE TABLE unreadable_captions (
	dataset_id VARCHAR(22) NOT NULL, 
	file_name VARCHAR(255) NOT NULL, 
	stem VARCHAR(255) NOT NULL, 
	message TEXT NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_unreadable_captions PRIMARY KEY (dataset_id, file_name), 
	CONSTRAINT fk_unreadable_captions_dataset_id_datasets FOREIGN KEY(dataset_id) REFERENCES datasets (dataset_id)
);
CREATE TABLE users (
	user_id VARCHAR(22) NOT NULL, 
	name VARCHAR(64) NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_users PRIMARY KEY (user_id), 
	CONSTRAINT uq_users_name UNIQUE (name)
);
INSERT INTO "users" VALUES('V6o9XPE7RfWRsj5ocDHcSg','owner','2026-11-28 22:27:17.770864');
CREATE TABLE waiting_captions (
	dataset_id VARCHAR(22) NOT NULL, 
	stem VARCHAR(255) NOT NULL, 
	file_name VARCHAR(255) NOT NULL, 
	caption TEXT NOT NULL, 
	caption_is_json BOOLEAN NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_waiting_captions PRIMARY KEY (dataset_id, stem), 
	CONSTRAINT fk_waiting_captions_dataset_id_datasets FOREIGN KEY(dataset_id) REFERENCES datasets (dataset_id)
);
CREATE INDEX ix_datasets_user_id_updated_at ON datasets (user_id, updated_at);
CREATE INDEX ix_assets_dataset_id_stem ON assets (dataset_id, stem);
CREATE INDEX ix_models_dataset_id ON models (dataset_id);
CREATE INDEX ix_models_user_id_created_at ON models (user_id, created_at);
CREATE INDEX ix_model_shares_organization_id ON model_shares (organization_id);
CREATE INDEX ix_model_events_model_id_event_id ON model_events (model_id, event_id);
CREATE INDEX ix_training_runs_model_id ON training_runs (model_id);
CREATE INDEX ix_jobs_organization_id_kind_started_at ON jobs (organization_id, kind, started_at);
CREATE INDEX ix_jobs_organization_id_status ON jobs (organization_id, status);
CREATE INDEX ix_jobs_status_kind_created_at ON jobs (status, kind, created_at);
CREATE INDEX ix_images_job_id ON images (job_id);
COMMIT;
