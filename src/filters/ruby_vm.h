#ifndef LSC_FILTERS_RUBY_VM_H
#define LSC_FILTERS_RUBY_VM_H

#include "plugin/intake.h"

/*
 * The Ruby interpreter of the process. CRuby runs on one thread, which is started by the first
 * plugin that needs it and lives as long as the process; every other thread hands it calls and
 * waits. Part of the module filter_ruby.
 */

/* Starts it unless it runs. False: it cannot; `*problem` (for ever) says why. Any thread. */
bool ruby_vm_start(const char **problem);

/*
 * Runs `run(data)` on Ruby's thread and returns when that has ended. Calls of several threads come
 * one after the other. `run` must let no Ruby exception out. When `stop` (NULL: none) is requested
 * meanwhile, what runs is interrupted by an exception that code without «rescue Exception» lets
 * through. Any thread but Ruby's own.
 */
void ruby_vm_call(void (*run)(void *data), void *data, const struct stop *stop);

#endif
