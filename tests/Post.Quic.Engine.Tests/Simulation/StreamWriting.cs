using System.Diagnostics.CodeAnalysis;
using Post.Quic.Engine.Streams;

namespace Post.Quic.Engine.Tests.Simulation;

/// <summary>Writes more at once than an application may.</summary>
internal static class StreamWriting
{
    public static void WriteAll([NotNull] this StreamState? stream, ReadOnlySpan<byte> data)
    {
        ArgumentNullException.ThrowIfNull(stream);
        stream.Send!.Buffer.CopyCapacity = int.MaxValue;
        Assert.AreEqual(data.Length, stream.Write(data));
    }
}
