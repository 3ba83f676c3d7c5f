// The two standards as tables: what a contract (ODCS) and a product (ODPS) may hold, in each version that is read.
#pragma once

#include "model/shape.h"

namespace weft::model::standards {

// Of the document as a whole.
extern const shape::Type kOdcs;
extern const shape::Type kOdps;

// The version by which a document is judged, from its apiVersion: 320 for v3.2.0. What names none that is known is
// judged by the newest, whose table then refuses the apiVersion.
int OdcsVersion(const yaml::Node& document);
int OdpsVersion(const yaml::Node& document);

}  // namespace weft::model::standards
