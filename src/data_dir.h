#ifndef LSC_DATA_DIR_H
#define LSC_DATA_DIR_H

#include "base/str.h"

/*
 * Makes path.data when it is missing (mode 0700), locks it against other processes until this one
 * ends, and puts the id of this node into its file `uuid`, which is kept. False with a message in
 * `error`.
 */
bool data_dir_open(struct str path, char *error, size_t error_size);

#endif
