using Post.Quic.Engine.Congestion;

namespace Post.Quic.Engine.Paths;

/// <summary>Asks the peer over the networks of a path for signs of life, and draws the conclusion (RFC 9000 section 8.2).</summary>
internal sealed class NetworkValidation
{
    /// <summary>RFC 9000 section 8.2.4: the probe timeout of a network of which nothing is known yet.</summary>
    private const long UnknownProbeTimeout = 3 * RttEstimator.InitialRtt;

    private readonly Path _path;
    private readonly IPathHost _host;

    public NetworkValidation(Path path, IPathHost host)
    {
        _path = path;
        _host = host;
    }

    private Networks Networks => _path.Networks;

    /// <summary>When a network is to be challenged again or given up.</summary>
    public long Deadline
    {
        get
        {
            long deadline = _path.Migration.Deadline;
            foreach (Network? network in Networks.All)
            {
                deadline = Math.Min(deadline, network is { IsHeld: false } ? network.Validation.Deadline : long.MaxValue);
            }

            return deadline;
        }
    }

    /// <summary>The machine is being asked for another way to the peer.</summary>
    public bool IsSearching
    {
        get
        {
            foreach (Network? network in Networks.All)
            {
                if (network is { IsSearch: true, Validation.State: PathValidationState.Validating })
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>
    /// PATH_RESPONSE came. One that answers nothing is ignored: RFC 9000 section 19.18 lets us, and the challenge may
    /// have been given up meanwhile.
    /// </summary>
    public bool TryAnswer(ulong data, long now)
    {
        foreach (Network? network in Networks.All)
        {
            if (network is not null && network.Validation.TryAnswer(data))
            {
                bool wasValidated = network.IsValidated;
                network.IsValidated = true;
                network.Amplification.Validate();
                network.LacksSizeProof = !network.Validation.ProvedMtu;
                if (network.LacksSizeProof)
                {
                    // RFC 9000 section 8.2.1: the address is good, but whether 1200 bytes pass is not known yet.
                    Validate(network, now);
                }

                if (!wasValidated)
                {
                    if (network.IsSearch)
                    {
                        Networks.Report(network, PathChange.Added);
                    }

                    Networks.Report(network, PathChange.Validated);
                }

                _path.Migration.OnValidated(network, now);
                _host.OnValidated(_path, now);
                return true;
            }
        }

        return false;
    }

    /// <summary>Asks the peer over the network for a sign of life.</summary>
    public void Validate(Network network, long now)
    {
        network.HeardWhenAsked = network.PacketsReceived;
        network.Validation.Start(
            _path.Recovery.ProbeTimeoutPeriod << network.SilentValidations,
            ValidationTime(network) << network.SilentValidations,
            now);
    }

    /// <summary>The process did not run for a while: a peer that was asked to answer had no chance to be heard.</summary>
    public void OnStall(long now)
    {
        foreach (Network? network in Networks.All)
        {
            if (network is { Validation.State: PathValidationState.Validating })
            {
                Validate(network, now);
            }
        }
    }

    /// <summary>A network has something to say that can only be said on it.</summary>
    public Network? FindWithProbe(long now)
    {
        foreach (Network? network in Networks.All)
        {
            if (network is { IsHeld: false } && (network.Responses.Count != 0 || network.Validation.WantsChallenge(now)))
            {
                return network;
            }
        }

        return null;
    }

    public void HandleTimeout(long now)
    {
        foreach (Network? network in Networks.All)
        {
            if (_host.IsOver)
            {
                // The failure of one ended the connection; the others are gone with it.
                return;
            }

            if (network is null || !network.Validation.TryExpire(now))
            {
                continue;
            }

            Networks.Report(network, PathChange.Failed);
            _path.Migration.OnFailed(network, now);
        }

        _path.Migration.HandleTimeout(now);
    }

    /// <summary>
    /// RFC 9000 section 8.2.4: three times the larger of the present probe timeout and that of a new network. Once more, since the
    /// third challenge leaves only then: where a tenth of all packets is lost, two are answered in vain one time in thirty.
    /// </summary>
    private long ValidationTime(Network network) =>
        4 * Math.Max(_path.Recovery.ProbeTimeoutPeriod, network.Transmission.Rtt.HasSample ? 0 : UnknownProbeTimeout);
}
