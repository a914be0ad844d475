using System.Numerics;
using Post.Quic.Engine.Bounds;

namespace Post.Quic.Engine;

/// <summary>
/// Asks for a qlog of connections: a file for each that tells what it sent, received, lost and decided
/// (draft-ietf-quic-qlog-main-schema and draft-ietf-quic-qlog-quic-events, as JSON text sequences).
/// </summary>
/// <remarks>
/// The log is written off the connection's path: what happens is noted in a bounded buffer and formatted in the
/// background. When the writer cannot keep up, events are left out and counted in the log; the connection never waits.
/// A log holds addresses, connection ids and the shape of the traffic, but no keys, no tokens and no application data.
/// One instance may serve any number of connections.
/// </remarks>
public sealed class QuicTraceOptions
{
    /// <summary>The environment variable that qlog names for a directory of logs.</summary>
    public const string DirectoryVariable = "QLOGDIR";

    /// <summary>
    /// Where files are made, one for each connection, named after the connection's first id and the side:
    /// <c>5f2a...b1_server.sqlog</c>. It is created if it is not there. Either this or <see cref="OpenStream"/> is set.
    /// </summary>
    /// <remarks>
    /// On a listener every client that completes an address check can make a file: use <see cref="OpenStream"/> to
    /// choose among them where clients are not trusted.
    /// </remarks>
    public string? Directory { get; init; }

    /// <summary>
    /// Gives the stream that a connection's log goes to, or null for a connection that shall not be logged. The stream
    /// is written by one task at a time and disposed at the end of the connection. An exception from here is logged
    /// and leaves the connection without a log.
    /// </summary>
    public Func<QuicTraceContext, Stream?>? OpenStream { get; init; }

    /// <summary>The title in the log; the default names the engine.</summary>
    public string? Title { get; init; }

    /// <summary>A longer description in the log.</summary>
    public string? Description { get; init; }

    /// <summary>The name of the vantage point, such as that of the machine; the type (client or server) is always given.</summary>
    public string? VantagePointName { get; init; }

    /// <summary>
    /// Bytes for events that wait to be written, for each connection: a power of two from 16 KiB to 64 MiB. The default
    /// of 256 KiB holds some 5,000 packets.
    /// </summary>
    public int BufferSize { get; init; } = 256 * 1024;

    /// <summary>How long an event may wait in the buffer before it is written; 100 ms by default.</summary>
    public TimeSpan FlushInterval { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Options for the directory that the environment variable QLOGDIR names, or null where it is not set.</summary>
    public static QuicTraceOptions? FromEnvironment()
    {
        string? directory = Environment.GetEnvironmentVariable(DirectoryVariable);
        return string.IsNullOrEmpty(directory) ? null : new QuicTraceOptions { Directory = directory };
    }

    /// <summary>Throws where the options contradict themselves; called when a connection or a listener is given them.</summary>
    /// <exception cref="ArgumentException">Not exactly one of <see cref="Directory"/> and <see cref="OpenStream"/> is
    /// set, or a value is outside its range.</exception>
    internal void Validate()
    {
        if ((Directory is null) == (OpenStream is null))
        {
            throw new ArgumentException("Set either Directory or OpenStream of the trace options.");
        }

        if (BufferSize is < Limits.MinTraceBuffer or > Limits.MaxTraceBuffer || !BitOperations.IsPow2(BufferSize))
        {
            throw new ArgumentException(
                $"BufferSize of the trace options must be a power of two from {Limits.MinTraceBuffer} to {Limits.MaxTraceBuffer}.");
        }

        if (FlushInterval <= TimeSpan.Zero || FlushInterval > TimeSpan.FromMinutes(1))
        {
            throw new ArgumentException("FlushInterval of the trace options must be above zero and at most a minute.");
        }
    }
}
