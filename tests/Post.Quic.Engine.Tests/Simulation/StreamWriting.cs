using System.Diagnostics.CodeAnalysis;
using Post.Quic.Engine.InFlight;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tests.Simulation;

/// <summary>Writes more at once than an application may.</summary>
internal static class StreamWriting
{
    /// <summary>Control frames, then data until the packet is full or nothing is left.</summary>
    public static bool WriteFrames(this StreamTable table, ref WireWriter writer, SentFrameLog log, long now)
    {
        bool wrote = table.WriteControl(ref writer, log, now);
        return table.WriteData(ref writer, log, SendUrgency.Last, now) || wrote;
    }

    public static void WriteAll([NotNull] this StreamState? stream, ReadOnlySpan<byte> data)
    {
        ArgumentNullException.ThrowIfNull(stream);
        stream.Send!.Buffer.CopyCapacity = int.MaxValue;
        Assert.AreEqual(data.Length, stream.Write(data));
    }
}
