/* What libgcc's unwinder takes from glibc, on musl. Without it everything works until the first panic. */
#define _GNU_SOURCE
#include <link.h>
#include <pthread.h>
#include <stddef.h>

/* dl_find_object(3), as far as the unwinder reads it. */
struct dl_find_object {
    unsigned long long flags;
    void *map_start;
    void *map_end;
    struct link_map *link_map;
    void *eh_frame;
    unsigned long long reserved[7];
};

struct search {
    ElfW(Addr) address;
    struct dl_find_object *found;
};

/* Whether the address lies in this object, which has a table for the unwinder. */
static int look(struct dl_phdr_info *object, size_t size, void *data)
{
    struct search *search = data;
    const ElfW(Phdr) *segment = NULL, *table = NULL;
    (void)size;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &object->dlpi_phdr[i];
        ElfW(Addr) start = object->dlpi_addr + header->p_vaddr;
        if (header->p_type == PT_GNU_EH_FRAME)
            table = header;
        if (header->p_type == PT_LOAD && search->address >= start && search->address - start < header->p_memsz)
            segment = header;
    }
    if (!segment || !table)
        return 0;
    search->found->map_start = (void *)(object->dlpi_addr + segment->p_vaddr);
    search->found->map_end = (char *)search->found->map_start + segment->p_memsz;
    search->found->eh_frame = (void *)(object->dlpi_addr + table->p_vaddr);
    return 1;
}

int _dl_find_object(void *address, struct dl_find_object *found)
{
    struct search search = { (ElfW(Addr))address, found };
    return dl_iterate_phdr(look, &search) ? 0 : -1;
}

/* By this symbol libgcc sees that there are threads; musl has it too. */
int __pthread_key_create(pthread_key_t *, void (*)(void *));

/* libgcc refers to all of them weakly, and a static archive gives up only what somebody asks for. */
__attribute__((used)) static void *const wanted[] = {
    (void *)__pthread_key_create, (void *)pthread_once,         (void *)pthread_mutex_lock,  (void *)pthread_mutex_unlock,
    (void *)pthread_key_create,   (void *)pthread_getspecific,  (void *)pthread_setspecific,
};
