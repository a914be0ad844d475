using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Quic;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Post.Sockets.Transport;

namespace Post.Quic.SystemNetQuic.Extras;

/// <summary>
/// Datagrams, ranks, statistics, tickets and rebinding, from msquic under System.Net.Quic. They rest on private members and
/// native numbers, so all of these are tried once, before the first use; where one is not as expected there are no extras.
/// Only what rebinding needs of the system is tried by itself: without it, all but that is there.
/// </summary>
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
internal sealed class MsQuicExtras
{
    private const TransportCapabilities Everywhere =
        TransportCapabilities.Datagrams
        | TransportCapabilities.Priorities
        | TransportCapabilities.Paths
        | TransportCapabilities.Resumption
        | TransportCapabilities.Statistics;

    private static readonly byte[] Yes = [1];
    private static readonly Lazy<(MsQuicExtras? Extras, string? Obstacle)> Tried = new(TryAll);

    private readonly MsQuicTable _table;

    private MsQuicExtras(MsQuicTable table)
    {
        _table = table;
        MigrationObstacle = OperatingSystem.IsLinux()
            ? InboundBlock.FindObstacle()
            : "msquic can only be moved safely where its socket can be kept from receiving, which is on Linux";
    }

    /// <summary>What a connection has with the extras; datagrams only where the peer takes them, and migration on clients.</summary>
    public TransportCapabilities Capabilities =>
        MigrationObstacle is null ? Everywhere | TransportCapabilities.Migration : Everywhere;

    /// <summary>Why a client cannot be moved here (<see cref="Rebinding"/>); null where it can.</summary>
    public string? MigrationObstacle { get; }

    /// <summary>The extras, where everything they rely on is as expected. System.Net.Quic must be known to work.</summary>
    public static bool TryGet([NotNullWhen(true)] out MsQuicExtras? extras, [NotNullWhen(false)] out string? obstacle)
    {
        (extras, obstacle) = Tried.Value;
        return extras is not null;
    }

    /// <summary>Connects as <see cref="QuicConnection.ConnectAsync"/> does, with the extras in place before the first packet.</summary>
    public async ValueTask<(QuicConnection Connection, ConnectionExtras Extras)> ConnectAsync(
        QuicClientConnectionOptions options,
        byte[]? ticket,
        TimeProvider time,
        ILogger logger,
        CancellationToken cancellationToken)
    {
        QuicInternals.Validate(options, nameof(options));
        QuicConnection connection = QuicInternals.NewConnection();
        try
        {
            ConnectionExtras extras = Attach(connection, time, logger, givesTickets: false);
            if (ticket is not null)
            {
                // A ticket that msquic does not take costs a full handshake, no more.
                WithHandle(connection, handle => _table.TrySetParam(handle, NativeNumbers.ConnectionResumptionTicket, ticket));
            }

            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            if (options.HandshakeTimeout > TimeSpan.Zero)
            {
                timeout.CancelAfter(options.HandshakeTimeout);
            }

            await QuicInternals.FinishConnectAsync(connection, options, timeout.Token).ConfigureAwait(false);
            return (connection, extras);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw new QuicException(
                QuicError.ConnectionTimeout, null, $"The handshake did not finish within {options.HandshakeTimeout}.");
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Puts the extras in place on a connection that has not begun its handshake; a server may let its client resume.</summary>
    public ConnectionExtras Attach(QuicConnection connection, TimeProvider time, ILogger logger, bool givesTickets)
    {
        var extras = new ConnectionExtras(_table, QuicInternals.HandleOf(connection), Capabilities, time, logger, givesTickets);
        WithHandle(connection, handle =>
        {
            EventHook.Install(_table, handle, extras);
            _table.TrySetParam(handle, NativeNumbers.ConnectionDatagramReceiveEnabled, Yes);
            return !givesTickets || _table.TrySetParam(handle, NativeNumbers.ConnectionSettings, ResumeOnly());
        });
        return extras;
    }

    private static (MsQuicExtras? Extras, string? Obstacle) TryAll()
    {
        try
        {
            string? obstacle = FindStaticObstacle();
            if (obstacle is not null || !MsQuicTable.TryOpen(out MsQuicTable? table, out obstacle))
            {
                return (null, obstacle);
            }

            var extras = new MsQuicExtras(table);
            obstacle = extras.TryOnScratchConnection();
            return obstacle is null ? (extras, null) : (null, obstacle);
        }
        catch (Exception exception)
        {
            return (null, $"trying them failed: {exception.Message}");
        }
    }

    private static string? FindStaticObstacle()
    {
        if (!RuntimeFeature.IsDynamicCodeSupported)
        {
            return "in a natively compiled program the private members of System.Net.Quic are out of reach";
        }

        // The layout of the events is known for 64 bits.
        return nint.Size != sizeof(long) ? "they are known for 64-bit processes only" : QuicInternals.FindObstacle();
    }

    private static T WithHandle<T>(QuicConnection connection, Func<nint, T> use)
    {
        SafeHandle handle = QuicInternals.HandleOf(connection);
        bool held = false;
        try
        {
            handle.DangerousAddRef(ref held);
            return use(handle.DangerousGetHandle());
        }
        finally
        {
            if (held)
            {
                handle.DangerousRelease();
            }
        }
    }

    private static byte[] ResumeOnly()
    {
        byte[] settings = new byte[NativeNumbers.SettingsSize];
        BitConverter.TryWriteBytes(settings, 1UL << NativeNumbers.ServerResumptionLevelIsSet);
        settings[NativeNumbers.ServerResumptionLevelOffset] = NativeNumbers.ServerResumeOnly;
        return settings;
    }

    // A connection that is never started: what can be tried without a peer is tried on it.
    private string? TryOnScratchConnection()
    {
        QuicConnection scratch = QuicInternals.NewConnection();
        ConnectionExtras extras = Attach(scratch, TimeProvider.System, NullLogger.Instance, givesTickets: false);
        string? obstacle = WithHandle(scratch, handle => TryOn(handle, scratch));

        // Off the caller's context, and with its end: that is the event by which all state is given back.
        Task.Run(async () => await scratch.DisposeAsync().ConfigureAwait(false)).GetAwaiter().GetResult();
        return obstacle ?? (extras.HasEnded ? null : "the last event of a connection does not reach them");
    }

    private string? TryOn(nint handle, QuicConnection scratch)
    {
        nint context = _table.GetContext(handle);
        if (context == 0 || !ReferenceEquals(GCHandle.FromIntPtr(context).Target, scratch))
        {
            return "the context of a connection is not known to System.Net.Quic";
        }

        Span<byte> enabled = stackalloc byte[1];
        if (!_table.TryGetParam(handle, NativeNumbers.ConnectionDatagramReceiveEnabled, enabled, out _) || enabled[0] != 1)
        {
            return "datagrams cannot be enabled";
        }

        if (!_table.TryGetParam(handle, NativeNumbers.ConnectionDatagramSendEnabled, enabled, out _))
        {
            return "whether datagrams may be sent cannot be asked";
        }

        Span<byte> settings = stackalloc byte[NativeNumbers.SettingsSize];
        if (!_table.TrySetParam(handle, NativeNumbers.ConnectionSettings, ResumeOnly())
            || !_table.TryGetParam(handle, NativeNumbers.ConnectionSettings, settings, out _)
            || (settings[NativeNumbers.ServerResumptionLevelOffset] & NativeNumbers.ServerResumptionLevelMask) != NativeNumbers.ServerResumeOnly)
        {
            return "the settings of a connection have another layout";
        }

        Span<byte> statistics = stackalloc byte[Unsafe.SizeOf<NativeStatistics>()];
        if (!_table.TryGetParam(handle, NativeNumbers.ConnectionStatisticsV2, statistics, out int length) || length != statistics.Length)
        {
            return "the statistics have another layout";
        }

        var address = new IPEndPoint(IPAddress.Loopback, 4433);
        Span<byte> local = stackalloc byte[NativeAddress.Size];
        return !_table.TrySetParam(handle, NativeNumbers.ConnectionLocalAddress, NativeAddress.Of(address))
            || !_table.TryGetParam(handle, NativeNumbers.ConnectionLocalAddress, local, out _)
            || !address.Equals(NativeAddress.Read(local))
            ? "local addresses have another layout"
            : null;
    }
}
