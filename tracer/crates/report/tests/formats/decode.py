"""Decodes a Perfetto trace by the published schema, and prints what the tests compare, as JSON."""

import json
import sys

from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as schema

trace = schema.Trace()
with open(sys.argv[1], "rb") as file:
    trace.ParseFromString(file.read())

tracks, processes, sites, verdicts = {}, {}, [], []
out = {"sites": sites, "verdicts": verdicts}
event_kinds = schema.TrackEvent.Type


def annotations(event):
    found = {}
    for one in event.debug_annotations:
        if one.array_values:
            found[one.name] = [value.string_value for value in one.array_values]
        else:
            found[one.name] = getattr(one, one.WhichOneof("value"))
    return found


def unknown_fields(message):
    from google.protobuf import unknown_fields as reader

    if len(reader.UnknownFieldSet(message)):
        sys.exit(f"fields that the schema does not know in {message}")


for packet in trace.packet:
    unknown_fields(packet)
    if packet.HasField("clock_snapshot"):
        snapshot = packet.clock_snapshot
        out["primary"] = schema.BuiltinClock.Name(snapshot.primary_trace_clock)
        out["clocks"] = {clock.clock_id: clock.timestamp for clock in snapshot.clocks}
    if packet.HasField("track_descriptor"):
        track = packet.track_descriptor
        unknown_fields(track)
        tracks[track.uuid] = track
        if track.HasField("process"):
            processes[track.uuid] = {
                "pid": track.process.pid,
                "name": track.process.process_name,
                "counters": {},
            }
    if packet.HasField("track_event"):
        event = packet.track_event
        unknown_fields(event)
        track = tracks[event.track_uuid]
        if event.type == event_kinds.TYPE_COUNTER:
            unit = schema.CounterDescriptor.Unit.Name(track.counter.unit)
            assert unit == "UNIT_SIZE_BYTES", unit
            counters = processes[track.parent_uuid]["counters"]
            counters[track.name] = event.counter_value
        elif event.type == event_kinds.TYPE_INSTANT and "site" in event.categories:
            sites.append({"time": packet.timestamp, **annotations(event)})
        elif event.type == event_kinds.TYPE_INSTANT:
            verdicts.append({"name": event.name, **annotations(event)})

out["processes"] = list(processes.values())
json.dump(out, sys.stdout)
