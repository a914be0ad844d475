using System.Net;
using Microsoft.Extensions.Options;
using Post.Quic.Locals;
using Post.Sockets;

namespace Post.Quic.DependencyInjection;

/// <summary>Says at start what is wrong with a Local's options, and what to do.</summary>
internal sealed class PostLocalOptionsValidator : IValidateOptions<PostLocalOptions>
{
    /// <summary>What post/1 takes (docs/protocol.md section 4.1).</summary>
    private const int MaxFurtherEndPoints = 8;

    public ValidateOptionsResult Validate(string? name, PostLocalOptions options)
    {
        var failures = new List<string>();
        Check(options, failures);
        if (failures.Count == 0)
        {
            return ValidateOptionsResult.Success;
        }

        return ValidateOptionsResult.Fail(failures.Select(failure => LocalName.Prefix(name) + failure));
    }

    private static void Check(PostLocalOptions options, List<string> failures)
    {
        CheckIdentity(options, failures);
        if (options.PrivateKeyPath is not null && options.CertificatePath is null)
        {
            failures.Add("PrivateKeyPath is set without CertificatePath; name the certificate's file too.");
        }

        if (options is { EphemeralIdentity: not null, CertificatePath: not null })
        {
            failures.Add("EphemeralIdentity and CertificatePath are both set; keep one of them.");
        }

        foreach (var text in options.EndPoints)
        {
            if (!IPEndPoint.TryParse(text, out _))
            {
                failures.Add($"'{text}' in EndPoints is no address and port; write it like 0.0.0.0:4433 or [::]:4433.");
            }
        }

        foreach (var text in options.FurtherEndPoints)
        {
            if (!IPEndPoint.TryParse(text, out var further) || further.Port == 0 || further.Address.Equals(IPAddress.Any) || further.Address.Equals(IPAddress.IPv6Any))
            {
                failures.Add($"'{text}' in FurtherEndPoints is no address and port that clients could send to; write it like 203.0.113.7:4433.");
            }
        }

        if (options.FurtherEndPoints.Count > MaxFurtherEndPoints)
        {
            failures.Add($"FurtherEndPoints names {options.FurtherEndPoints.Count} addresses; name at most {MaxFurtherEndPoints}, which is what clients are told.");
        }

        foreach (var text in options.TrustedKeys)
        {
            if (!KeyFingerprint.TryParse(text, out _))
            {
                failures.Add($"'{text}' in TrustedKeys is no fingerprint; write \"sha256:\" and 64 hexadecimal digits.");
            }
        }

        CheckAssociation(options.Association, "Association", failures);
        if (options.Listener.Association is { } association)
        {
            CheckAssociation(association, "Listener: Association", failures);
        }
    }

    private static void CheckAssociation(AssociationOptions options, string section, List<string> failures)
    {
        try
        {
            options.Validate();
        }
        catch (ArgumentException exception)
        {
            failures.Add($"{section}: {exception.Message}");
        }
    }

    /// <summary>Reads the files, so that one of no use is known at start and not when the first connection is made.</summary>
    private static void CheckIdentity(PostLocalOptions options, List<string> failures)
    {
        if (options.CertificatePath is null)
        {
            return;
        }

        if (IdentityFile.TryLoad(options, out var identity, out string? failure))
        {
            identity.Dispose();
        }
        else
        {
            failures.Add(failure);
        }
    }
}
