using System.Net.Quic;
using System.Runtime.CompilerServices;
using System.Runtime.Versioning;
using Microsoft.Extensions.Logging;
using Post.Quic.MsQuic.Linux;
using Post.Quic.MsQuic.Native;
using Post.Quic.SystemNetQuic;
using Post.Sockets.Transport;

namespace Post.Quic.MsQuic;

/// <summary>
/// Datagrams, ranks, statistics, tickets and rebinding, from msquic under System.Net.Quic. They rest on private members and
/// native numbers. What of these can be tried without a peer is tried once, before the first use (<see cref="SelfTest"/> says what
/// cannot); where one is not as expected there are no extras. What rebinding needs of the system is tried by itself: without it, all
/// but that is there.
/// </summary>
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
internal sealed class MsQuicExtras : QuicExtras
{
    private const TransportCapabilities Everywhere =
        TransportCapabilities.Datagrams
        | TransportCapabilities.Priorities
        | TransportCapabilities.Paths
        | TransportCapabilities.Statistics;

    private static readonly byte[] Yes = [1];
    private static readonly Lazy<ExtrasOrObstacle> Tried = new(() => Try(static test => test.FindObstacle()));

    private readonly MsQuicTable _table;

    private MsQuicExtras(MsQuicTable table)
    {
        _table = table;
        bool canResume = HasResumption(ReadTlsProvider(table), OperatingSystem.IsWindows());
        MigrationObstacle = OperatingSystem.IsLinux()
            ? InboundBlock.FindObstacle()
            : "msquic can only be moved safely where its socket can be kept from receiving, which is on Linux";
        Capabilities = Everywhere
            | (canResume ? TransportCapabilities.Resumption : TransportCapabilities.None)
            | (MigrationObstacle is null ? TransportCapabilities.Migration : TransportCapabilities.None);
    }

    /// <inheritdoc/>
    public override TransportCapabilities Capabilities { get; }

    /// <inheritdoc/>
    public override string? MigrationObstacle { get; }

    /// <summary>The extras, where all that was tried is as expected. System.Net.Quic must be known to work.</summary>
    public static ExtrasOrObstacle Get() => Tried.Value;

    /// <summary>Tries them.</summary>
    /// <param name="test">Does the self-test, and says what is not as expected; null where all is.</param>
    internal static ExtrasOrObstacle Try(Func<SelfTest, string?> test)
    {
        try
        {
            string? obstacle = FindStaticObstacle();
            if (obstacle is not null || !MsQuicTable.TryOpen(out MsQuicTable? table, out obstacle))
            {
                return new ExtrasOrObstacle(null, obstacle);
            }

            obstacle = SelfTest.Run(table, test);
            return obstacle is null ? new ExtrasOrObstacle(new MsQuicExtras(table), null) : new ExtrasOrObstacle(null, obstacle);
        }
        catch (Exception exception)
        {
            return new ExtrasOrObstacle(null, $"trying them failed: {exception.Message}");
        }
    }

    /// <summary>Schannel keeps its sessions to itself: msquic gives it no ticket of a client, and gets none from it to keep.</summary>
    internal static bool HasResumption(int? tlsProvider, bool isWindows) =>
        tlsProvider is { } provider ? provider == NativeNumbers.TlsByOpenSsl : !isWindows;

    /// <inheritdoc/>
    public override async ValueTask<(QuicConnection Connection, QuicConnectionExtras Extras)> ConnectAsync(
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
            QuicConnectionExtras extras = Attach(connection, time, logger, givesTickets: false);
            if (ticket is not null && CanResume)
            {
                // A ticket that msquic does not take costs a full handshake, no more.
                QuicInternals.WithHandle(
                    connection, handle => _table.TrySetParam(handle, NativeNumbers.ConnectionResumptionTicket, ticket));
            }

            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            if (options.HandshakeTimeout > TimeSpan.Zero)
            {
                timeout.CancelAfter(options.HandshakeTimeout);
            }

            await QuicInternals.FinishConnectAsync(connection, options, timeout.Token).ConfigureAwait(false);
            return (connection, extras);
        }
        catch (OperationCanceledException)
        {
            await connection.DisposeAsync().ConfigureAwait(false);

            // It names our own token, which the caller does not know.
            cancellationToken.ThrowIfCancellationRequested();
            throw new QuicException(
                QuicError.ConnectionTimeout, null, $"The handshake did not finish within {options.HandshakeTimeout}.");
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc/>
    public override QuicConnectionExtras Attach(QuicConnection connection, TimeProvider time, ILogger logger, bool givesTickets)
    {
        givesTickets &= CanResume;
        var extras = new ConnectionExtras(_table, QuicInternals.HandleOf(connection), Capabilities, time, logger, givesTickets);
        CancellationToken over = QuicInternals.ShutdownTokenOf(connection);
        nint hooked = QuicInternals.WithHandle(connection, handle =>
        {
            EventHook.Install(_table, handle, extras);
            _table.TrySetParam(handle, NativeNumbers.ConnectionDatagramReceiveEnabled, Yes);
            _ = givesTickets && _table.TrySetParam(handle, NativeNumbers.ConnectionSettings, SelfTest.ResumeOnly());
            return handle;
        });

        // A server attaches on another thread than msquic's, so its client may have left before: the last event then went by, or goes by
        // just now. The token is canceled by that event; the one that the listener gives its callback can be disposed before.
        over.UnsafeRegister(
            _ =>
            {
                if (EventHook.Remove(hooked, extras))
                {
                    extras.End();
                }
            },
            null);
        return extras;
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

    private static int? ReadTlsProvider(MsQuicTable table)
    {
        Span<byte> provider = stackalloc byte[sizeof(int)];
        return table.TryGetParam(0, NativeNumbers.GlobalTlsProvider, provider, out int length) && length == provider.Length
            ? BitConverter.ToInt32(provider)
            : null;
    }
}
