using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Net;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Post.Sockets.Associations;
using Post.Sockets.Associations.Connections;
using Post.Sockets.Associations.Lifecycle;
using Post.Sockets.Diagnostics;
using Post.Sockets.Objects;
using Post.Sockets.Protocol;
using Post.Sockets.Transport;

namespace Post.Sockets;

/// <summary>
/// Durable communication between one <see cref="Local"/> and one <see cref="Remote"/>: objects and streams in both directions, over
/// whatever paths there are. All members may be called from any thread.
/// </summary>
/// <remarks>The rules, each with its source, stand in docs/semantics.md.</remarks>
public sealed class Association : IAsyncDisposable
{
    /// <summary>What the pipe of a composed object holds before its writer waits.</summary>
    private const int ComposedBytes = 64 * 1024;

    private readonly AssociationFactory _host;
    private readonly AssociationCore _core;

    internal Association(AssociationFactory host, Local local, Remote? remote, AssociationOptions options, UInt128 id)
    {
        _host = host;
        Local = local;
        Remote = remote;
        IsInitiator = remote is not null;
        _core = new AssociationCore(this, host, options, id);
    }

    /// <summary>The local identity and addresses.</summary>
    public Local Local { get; }

    /// <summary>The remote that this side associated with; null where the peer associated with this side: see <see cref="Peer"/>.</summary>
    public Remote? Remote { get; }

    /// <summary>The options that it began with, as a copy.</summary>
    public AssociationOptions Options => _core.State.Options with { };

    /// <summary>True on the side that associated, false on the side that listened.</summary>
    public bool IsInitiator { get; }

    /// <summary>
    /// The proven identity of the peer; anonymous until the handshake is complete. With early data, until <see cref="HandshakeCompletion"/>, the identity
    /// that was proven when the session was made. While interrupted, the last one: only the same peer can resume.
    /// </summary>
    public PeerIdentity Peer => _core.Connection.Facts.Peer;

    /// <summary>The last known address of the peer.</summary>
    public EndPoint? RemoteEndPoint => _core.Connection.Facts.RemoteEndPoint;

    /// <summary>The last known local address.</summary>
    public EndPoint? LocalEndPoint => _core.Connection.Facts.LocalEndPoint;

    /// <summary>What the transport can do on the present connection; while interrupted, on the last one.</summary>
    public TransportCapabilities Capabilities => _core.Connection.Facts.Capabilities;

    /// <summary>
    /// True while the connection is lost and the association waits for another one, at most for
    /// <see cref="AssociationOptions.ResumptionTimeout"/>. <see cref="ConnectionChanged"/> tells when that begins and ends.
    /// </summary>
    public bool IsInterrupted => _core.Connection.Value is null && !_core.State.IsClosed;

    /// <summary>The name of its transport.</summary>
    public string TransportName => _host.Transport.Name;

    /// <summary>True when the session of the present connection was resumed from the session cache.</summary>
    public bool IsResumed => _core.Connection.Facts.IsResumed;

    /// <summary>The paths as they are now; none while interrupted. <see cref="PathsChanged"/> tells when they change.</summary>
    public IReadOnlyList<PostPath> Paths => _core.Connection.Paths;

    /// <summary>The transport's measurements of the present connection, taken now; all null while interrupted.</summary>
    public TransportStatistics Statistics => _core.Connection.Value?.Transport.GetStatistics() ?? default;

    /// <summary>Completes when the association has ended; never fails. <see cref="Error"/> says why.</summary>
    public Task Completion => _core.Lifecycle.Closed;

    /// <summary>Completes when the handshake is complete: at once, unless early data was allowed.</summary>
    public Task HandshakeCompletion => _core.Lifecycle.WhenHandshakeAsync();

    /// <summary>Why the association ended; null while it lives, and when it was closed in order.</summary>
    public PostException? Error => _core.State.Error;

    /// <summary>Sent objects that are not complete yet.</summary>
    public int PendingObjects => (int)_core.State.Outbox.Room.Objects;

    /// <summary>
    /// Bytes of memory that incomplete objects hold: copied, borrowed, or read ahead from a stream, of which 64 KiB count. What
    /// <see cref="AssociationOptions.MaxQueuedBytes"/> bounds.
    /// </summary>
    public long QueuedBytes => _core.State.Outbox.Room.HeldBytes;

    /// <summary>Bytes of received objects that are held for the application: arriving, waiting for antecedents, or not taken yet.</summary>
    public long HeldBytes => _core.State.Inbox.Held;

    /// <summary>Begins an association, without an <see cref="AssociationFactory"/>.</summary>
    /// <param name="transport">What carries it.</param>
    /// <param name="local">The local identity and addresses.</param>
    /// <param name="remote">The peer to reach, and what proves its identity.</param>
    /// <param name="options">The options; null: the defaults.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="PostException">The remote could not be reached, or did not prove its identity.</exception>
    public static ValueTask<Association> AssociateAsync(
        PostTransport transport,
        Local local,
        Remote remote,
        AssociationOptions? options = null,
        CancellationToken cancellationToken = default) =>
        new AssociationFactory(transport).AssociateAsync(local, remote, options, cancellationToken);

    /// <summary>Queues a copy of the bytes as one object, and returns at once.</summary>
    /// <param name="bytes">The bytes; they are copied before the call returns.</param>
    /// <param name="properties">How to send them; null: reliably, at ordinary urgency.</param>
    /// <returns>The handle of the object: <see cref="SentObject.Completion"/> completes with its receipt.</returns>
    /// <exception cref="PostException">The queue is full (<see cref="PostErrorReason.QueueFull"/>), or the association is closed.</exception>
    public SentObject Send(ReadOnlySpan<byte> bytes, ObjectProperties? properties = null) =>
        Add(bytes.ToArray(), null, properties);

    /// <inheritdoc cref="Send(ReadOnlySpan{byte}, ObjectProperties?)"/>
    public SentObject Send(byte[] bytes, ObjectProperties? properties = null)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        return Send(bytes.AsSpan(), properties);
    }

    /// <inheritdoc cref="Send(ReadOnlySpan{byte}, ObjectProperties?)"/>
    public SentObject Send(ReadOnlyMemory<byte> bytes, ObjectProperties? properties = null) => Send(bytes.Span, properties);

    /// <inheritdoc cref="Send(ReadOnlySpan{byte}, ObjectProperties?)"/>
    public SentObject Send(ReadOnlySequence<byte> bytes, ObjectProperties? properties = null) => Add(bytes.ToArray(), null, properties);

    /// <summary>Queues memory as one object, without a copy, and returns at once: for large objects and memory that does not change.</summary>
    /// <param name="bytes">The bytes; they must not change before <see cref="SentObject.Completion"/> completes.</param>
    /// <param name="properties">How to send them; null: reliably, at ordinary urgency.</param>
    /// <returns>The handle of the object: <see cref="SentObject.Completion"/> completes with its receipt.</returns>
    /// <exception cref="PostException">The queue is full (<see cref="PostErrorReason.QueueFull"/>), or the association is closed.</exception>
    public SentObject SendWithoutCopy(ReadOnlyMemory<byte> bytes, ObjectProperties? properties = null) => Add(bytes, null, properties);

    /// <inheritdoc cref="SendWithoutCopy(ReadOnlyMemory{byte}, ObjectProperties?)"/>
    public SentObject SendWithoutCopy(ReadOnlySequence<byte> bytes, ObjectProperties? properties = null) => bytes.IsSingleSegment
        ? Add(bytes.First, null, properties)
        : Add(default, new SequenceSource(bytes), properties);

    /// <summary>Sends what a stream holds from its position on as one object, reading it while sending.</summary>
    /// <param name="stream">
    /// The stream. Where it can seek, it is sent with the length that it has now, and read again from where it began when the connection is lost: what it
    /// holds must not change before the object is complete. Where it cannot, the object fails with its connection.
    /// </param>
    /// <param name="properties">How to send it; null: reliably, at ordinary urgency.</param>
    /// <param name="leaveOpen">False: the stream is disposed when the object is complete.</param>
    /// <returns>The handle.</returns>
    /// <exception cref="PostException">The queue is full (<see cref="PostErrorReason.QueueFull"/>), or the association is closed.</exception>
    public SentObject Send(Stream stream, ObjectProperties? properties = null, bool leaveOpen = false)
    {
        ThrowUnlessReadable(stream);
        return Add(default, SourceOf(stream, leaveOpen), properties);
    }

    /// <summary>
    /// Sends what a stream holds as one object, and opens the stream only when its turn comes, from the byte on that is needed: what waits in
    /// the queue holds no file open, and one that goes on after a lost connection or a restart is read from where it goes on.
    /// </summary>
    /// <param name="open">
    /// Opens the bytes of the object from an offset on, and is called again where they are needed from another one: the bytes must not change
    /// before the object is complete. The stream is disposed when it is not needed any more; it need not be able to seek. The token is canceled
    /// when the object ends meanwhile. It throws where the bytes end before the offset. What it throws lets the object fail (<see cref="ObjectOutcomeReason.SourceFailed"/>).
    /// </param>
    /// <param name="length">
    /// The bytes of the whole object; null where that is not known. What a stream has beyond them is not sent; one that has fewer lets the object
    /// fail.
    /// </param>
    /// <param name="properties">How to send it; null: reliably, at ordinary urgency.</param>
    /// <returns>The handle.</returns>
    /// <exception cref="PostException">The queue is full (<see cref="PostErrorReason.QueueFull"/>), or the association is closed.</exception>
    public SentObject Send(Func<long, CancellationToken, ValueTask<Stream>> open, long? length, ObjectProperties? properties = null) =>
        Add(default, SourceOf(open, length), properties);

    /// <summary>Sends what a pipe brings until its end as one object.</summary>
    /// <param name="reader">The pipe; it is completed when the object is complete.</param>
    /// <param name="properties">How to send it; null: reliably, at ordinary urgency.</param>
    /// <returns>The handle.</returns>
    /// <exception cref="PostException">The queue is full (<see cref="PostErrorReason.QueueFull"/>), or the association is closed.</exception>
    public SentObject Send(PipeReader reader, ObjectProperties? properties = null)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return Add(default, new PipeSource(reader, null, 0), properties);
    }

    /// <summary>Sends an object that is written bit by bit: <c>await using</c> is not enough, complete the writer to end the object.</summary>
    /// <param name="properties">How to send it; null: reliably, at ordinary urgency.</param>
    /// <returns>The writer, with the handle.</returns>
    /// <exception cref="PostException">The queue is full (<see cref="PostErrorReason.QueueFull"/>), or the association is closed.</exception>
    public ObjectWriter Compose(ObjectProperties? properties = null)
    {
        var pipe = new Pipe(new PipeOptions(
            PipeBlocks.Shared,
            minimumSegmentSize: PipeBlocks.Size,
            readerScheduler: _core.State.PipeScheduler,
            writerScheduler: _core.State.PipeScheduler,
            pauseWriterThreshold: ComposedBytes,
            resumeWriterThreshold: ComposedBytes / 2,
            useSynchronizationContext: false));
        return new ObjectWriter(pipe.Writer, Add(default, new PipeSource(pipe.Reader, null, ComposedBytes), properties));
    }

    /// <summary>
    /// Waits until the send queue has room, queues a copy of the bytes as one object, and returns its handle: for those who send faster than the
    /// network. It waits neither for the object to be sent nor for its receipt: await <see cref="SentObject.Completion"/> for that.
    /// </summary>
    /// <param name="bytes">The bytes; they are copied before the call returns its task.</param>
    /// <param name="properties">How to send them; null: reliably, at ordinary urgency.</param>
    /// <param name="cancellationToken">Ends the wait for room; nothing is sent then.</param>
    /// <returns>The handle, once the object is queued.</returns>
    /// <exception cref="PostException">The association is closed.</exception>
    public ValueTask<SentObject> SendAsync(
        ReadOnlyMemory<byte> bytes, ObjectProperties? properties = null, CancellationToken cancellationToken = default) =>
        SendWithoutCopyAsync(bytes.ToArray(), properties, cancellationToken);

    /// <summary>
    /// Waits until the send queue has room, queues memory as one object without a copy, and returns its handle. It waits neither for the object
    /// to be sent nor for its receipt: await <see cref="SentObject.Completion"/> for that.
    /// </summary>
    /// <param name="bytes">The bytes; they must not change before <see cref="SentObject.Completion"/> completes.</param>
    /// <param name="properties">How to send them; null: reliably, at ordinary urgency.</param>
    /// <param name="cancellationToken">Ends the wait for room; nothing is sent then.</param>
    /// <returns>The handle, once the object is queued.</returns>
    /// <exception cref="PostException">The association is closed.</exception>
    public ValueTask<SentObject> SendWithoutCopyAsync(
        ReadOnlyMemory<byte> bytes, ObjectProperties? properties = null, CancellationToken cancellationToken = default)
    {
        var adding = _core.SendAsync(bytes, null, properties ?? ObjectProperties.Default, cancellationToken);
        return adding.IsCompletedSuccessfully
            ? ValueTask.FromResult<SentObject>(Started(adding.Result))
            : StartAsync(adding);
    }

    /// <summary>
    /// Waits until the send queue has room, and queues what a stream holds from its position on as one object, which is read while it is sent.
    /// It waits neither for the object to be sent nor for its receipt: await <see cref="SentObject.Completion"/> for that.
    /// </summary>
    /// <inheritdoc cref="Send(Stream, ObjectProperties?, bool)"/>
    /// <param name="stream">The stream; its length is used where it can seek.</param>
    /// <param name="properties">How to send it; null: reliably, at ordinary urgency.</param>
    /// <param name="leaveOpen">False: the stream is disposed when the object is complete.</param>
    /// <param name="cancellationToken">Ends the wait for room; nothing is sent then.</param>
    public ValueTask<SentObject> SendAsync(
        Stream stream, ObjectProperties? properties = null, bool leaveOpen = false, CancellationToken cancellationToken = default)
    {
        ThrowUnlessReadable(stream);
        return StartAsync(_core.SendAsync(default, SourceOf(stream, leaveOpen), properties ?? ObjectProperties.Default, cancellationToken));
    }

    /// <summary>
    /// Waits until the send queue has room, and queues what a stream holds as one object; the stream is opened when its turn comes. It waits
    /// neither for the object to be sent nor for its receipt: await <see cref="SentObject.Completion"/> for that.
    /// </summary>
    /// <inheritdoc cref="Send(Func{long, CancellationToken, ValueTask{Stream}}, long?, ObjectProperties?)"/>
    /// <param name="open">Opens the bytes of the object from an offset on.</param>
    /// <param name="length">The bytes of the whole object; null where that is not known.</param>
    /// <param name="properties">How to send it; null: reliably, at ordinary urgency.</param>
    /// <param name="cancellationToken">Ends the wait for room; nothing is sent then.</param>
    public ValueTask<SentObject> SendAsync(
        Func<long, CancellationToken, ValueTask<Stream>> open,
        long? length,
        ObjectProperties? properties = null,
        CancellationToken cancellationToken = default) =>
        StartAsync(_core.SendAsync(default, SourceOf(open, length), properties ?? ObjectProperties.Default, cancellationToken));

    /// <summary>Waits for the next object, where no handler for <see cref="Received"/> is registered.</summary>
    /// <param name="cancellationToken">Ends the wait; no object is lost by it.</param>
    /// <returns>The object, delivered with this; dispose it.</returns>
    /// <exception cref="PostException">The association is over and everything was taken.</exception>
    /// <exception cref="InvalidOperationException">A handler of <see cref="Received"/> is registered, and takes them all.</exception>
    public ValueTask<ReceivedObject> ReceiveAsync(CancellationToken cancellationToken = default) =>
        _core.Delivery.ReceiveAsync(throwsAtEnd: true, cancellationToken)!;

    /// <summary>The objects as they come, where no handler for <see cref="Received"/> is registered.</summary>
    /// <param name="cancellationToken">Ends the enumeration.</param>
    /// <returns>The objects; dispose each. Ends with the association, with an exception if that failed.</returns>
    public async IAsyncEnumerable<ReceivedObject> ReceiveAllAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        // The object was taken where the caller is: a change of thread now would have it wait again.
        while (await _core.Delivery.ReceiveAsync(throwsAtEnd: false, cancellationToken).ConfigureAwait(true) is { } item)
        {
            yield return item;
        }

        if (Error is { } error)
        {
            throw error;
        }
    }

    /// <summary>Opens a stream.</summary>
    /// <param name="properties">How it is to be served; null: at ordinary urgency, without reservation.</param>
    /// <param name="cancellationToken">Ends the wait for the peer's permission.</param>
    /// <exception cref="PostException">
    /// The bandwidth cannot be reserved (<see cref="PostErrorReason.BandwidthUnavailable"/>), or the association is closed.
    /// </exception>
    public ValueTask<PostStream> OpenStreamAsync(StreamProperties? properties = null, CancellationToken cancellationToken = default) =>
        _core.Streams.OpenAsync(properties ?? StreamProperties.Default, cancellationToken);

    /// <summary>Waits for the next stream that the peer opens, where no handler for <see cref="StreamOpened"/> is registered.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="PostException">The association is over.</exception>
    /// <exception cref="InvalidOperationException">A handler of <see cref="StreamOpened"/> is registered, and takes them all.</exception>
    public async ValueTask<PostStream> AcceptStreamAsync(CancellationToken cancellationToken = default) =>
        await _core.Delivery.AcceptStreamAsync(cancellationToken).ConfigureAwait(false)
        ?? throw (Error ?? new PostException(PostErrorReason.AssociationEnded, "The association is over."));

    /// <summary>
    /// Calls a handler for each event of a type, one event at a time (for <see cref="Received"/>, as many as
    /// <see cref="AssociationOptions.HandlerConcurrency"/> says). What it throws is logged and raised as <see cref="HandlerFailed"/>. It must not
    /// wait for what only comes after it has returned, such as the next event of its kind.
    /// </summary>
    /// <typeparam name="TEvent">
    /// <see cref="Received"/>, <see cref="Acked"/>, <see cref="Expired"/>, <see cref="ObjectCompleted"/>, <see cref="PathsChanged"/>,
    /// <see cref="ConnectionChanged"/>, <see cref="StreamOpened"/>, <see cref="HandlerFailed"/> or <see cref="Closed"/>.
    /// </typeparam>
    /// <param name="handler">The handler.</param>
    /// <returns>Dispose it to end the registration.</returns>
    public IDisposable Register<TEvent>(Action<TEvent> handler)
        where TEvent : AssociationEvent
    {
        ArgumentNullException.ThrowIfNull(handler);
        return Register<TEvent>(happened =>
        {
            handler(happened);
            return default;
        });
    }

    /// <inheritdoc cref="Register{TEvent}(Action{TEvent})"/>
    [OverloadResolutionPriority(1)]
    public IDisposable Register<TEvent>(Func<TEvent, Task> handler)
        where TEvent : AssociationEvent
    {
        // Without it, a handler of one call that returns a task would be taken for one that returns nothing, and not be waited for.
        ArgumentNullException.ThrowIfNull(handler);
        return Register<TEvent>(async happened => await handler(happened).ConfigureAwait(false));
    }

    /// <inheritdoc cref="Register{TEvent}(Action{TEvent})"/>
    [OverloadResolutionPriority(2)]
    public IDisposable Register<TEvent>(Func<TEvent, ValueTask> handler)
        where TEvent : AssociationEvent
    {
        ThrowIfAbstract<TEvent>();
        var registration = _core.Events.Handlers.Add(handler);
        _core.State.Owner.Wake();
        return registration;
    }

    /// <summary>
    /// The events of a type as an async stream, from now on; a reader that lags far behind loses the oldest. Objects are taken with
    /// <see cref="ReceiveAllAsync"/>, which loses none.
    /// </summary>
    /// <typeparam name="TEvent">The type; not <see cref="Received"/>.</typeparam>
    /// <param name="cancellationToken">Ends the enumeration.</param>
    /// <returns>The events; ends with the association.</returns>
    public IAsyncEnumerable<TEvent> EventsAsync<TEvent>(CancellationToken cancellationToken = default)
        where TEvent : AssociationEvent
    {
        ThrowIfAbstract<TEvent>();
        return typeof(TEvent) == typeof(Received)
            ? throw new ArgumentException("Received objects have back pressure: take them with ReceiveAllAsync.")
            : _core.Events.Handlers.StreamAsync<TEvent>(cancellationToken);
    }

    /// <summary>Moves to another local address, on the initiator and where the transport can.</summary>
    /// <param name="localEndPoint">The new address; null: the system chooses a fresh port.</param>
    /// <param name="cancellationToken">Ends the wait for the new path's validation; the old path then stays.</param>
    /// <returns>When the new path is validated and in use.</returns>
    /// <exception cref="PostException">The transport cannot, or the new path did not answer.</exception>
    public async ValueTask MigrateAsync(IPEndPoint? localEndPoint = null, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        _core.State.ThrowIfClosed();
        if (_core.Connection.Value is not { } connection)
        {
            throw new PostException(
                PostErrorReason.ConnectionLost,
                "The connection is lost, so there is nothing to move; the next one takes whatever address the system gives it.");
        }

        try
        {
            await connection.Transport.MigrateAsync(localEndPoint, cancellationToken).ConfigureAwait(false);
        }
        catch (TransportException exception)
        {
            // It may have been closed meanwhile; then that is the reason.
            _core.State.ThrowIfClosed();
            throw ConnectionErrors.Translate(exception);
        }
    }

    /// <summary>
    /// Closes in order: takes nothing new, waits until every object that was accepted has its end (at most
    /// <see cref="AssociationOptions.DrainTimeout"/>), sees to it that the peer has our receipts, and closes.
    /// </summary>
    /// <param name="cancellationToken">Ends the wait, not the close.</param>
    public Task CloseAsync(CancellationToken cancellationToken = default) => _core.Lifecycle.CloseAsync(cancellationToken);

    /// <summary>Closes at once; what has no end yet fails.</summary>
    public void Abort() => _core.Lifecycle.Abort(
        PostErrorCode.Aborted, new PostException(PostErrorReason.Aborted, "The association was aborted on this side."));

    /// <summary>Closes in order; see <see cref="CloseAsync"/>.</summary>
    /// <returns>When it is over.</returns>
    public async ValueTask DisposeAsync() => await CloseAsync().ConfigureAwait(false);

    internal AssociationCore Core => _core;

    /// <summary>Draws an id that cannot be guessed: a peer that knows it and proves the same identity can resume the association.</summary>
    internal static UInt128 DrawId()
    {
        Span<byte> bytes = stackalloc byte[16];
        do
        {
            RandomNumberGenerator.Fill(bytes);
        }
        while (!bytes.ContainsAnyExcept((byte)0));
        return BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    /// <summary>On the initiator: begins on its first connection.</summary>
    internal async ValueTask StartAsync(TransportConnection connection, CancellationToken cancellationToken)
    {
        var first = new PostConnection(_host, connection, _core.Resumption);
        _core.Begin(first, null);
        first.Start();
        first.MakeReady();
        await _core.Lifecycle.StartAsync(first, cancellationToken).ConfigureAwait(false);
    }

    internal void Refuse() => _core.Lifecycle.Abort(
        PostErrorCode.AssociationRefused, new PostException(PostErrorReason.AssociationRefused, "The association was refused on this side."));

    private static void ThrowIfAbstract<TEvent>()
    {
        if (typeof(TEvent).IsAbstract)
        {
            throw new ArgumentException("Register for each type of event by itself: nothing is raised as AssociationEvent.");
        }
    }

    private static void ThrowUnlessReadable(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (!stream.CanRead)
        {
            throw new ArgumentException("The stream cannot be read: it was closed, or is for writing only.", nameof(stream));
        }
    }

    private static PipeSource SourceOf(Stream stream, bool leaveOpen) => stream.CanSeek
        ? new SeekableSource(stream, leaveOpen)
        : new PipeSource(PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: Outbox.LargeObject, leaveOpen: leaveOpen)), null, Outbox.LargeObject);

    private OpenedSource SourceOf(Func<long, CancellationToken, ValueTask<Stream>> open, long? length)
    {
        ArgumentNullException.ThrowIfNull(open);
        if (length is { } bytes)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(bytes, nameof(length));
        }

        return new OpenedSource(open, length, _core.State.ElsewhereAsync);
    }

    private static OutboundObject Started(OutboundObject item)
    {
        PostActivity.StartSend(item);
        return item;
    }

    private static async ValueTask<SentObject> StartAsync(ValueTask<OutboundObject> adding) => Started(await adding.ConfigureAwait(false));

    private OutboundObject Add(ReadOnlyMemory<byte> memory, ObjectSource? source, ObjectProperties? properties) =>
        Started(_core.Send(memory, source, properties ?? ObjectProperties.Default));
}
