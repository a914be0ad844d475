using Microsoft.Extensions.Options;

namespace Post.Quic.DependencyInjection;

/// <summary>Says at start what is wrong with a listener's options, and what to do.</summary>
internal sealed class PostListenerOptionsValidator : IValidateOptions<PostListenerOptions>
{
    public ValidateOptionsResult Validate(string? name, PostListenerOptions options)
    {
        var failures = new List<string>();
        if (options.MaxAssociations < 1)
        {
            failures.Add($"MaxAssociations is {options.MaxAssociations}; set how many associations there may be at a time, 1 or more.");
        }

        if (options.MaxInterrupted < 0)
        {
            failures.Add(
                $"MaxInterrupted is {options.MaxInterrupted}; set how many may wait for their initiator to come back, or 0 that none do.");
        }

        if (options.MaxInterruptedBytes < 0)
        {
            failures.Add(
                $"MaxInterruptedBytes is {options.MaxInterruptedBytes}; set how many bytes of unfinished objects those may hold that wait for their "
                + "initiator to come back, or 0 for none.");
        }

        if (options.Association is { } association)
        {
            AssociationCheck.Run(() => association, failures);
        }

        var of = string.IsNullOrEmpty(name) ? "The listener of the default Local: " : $"The listener of Local '{name}': ";
        return failures.Count == 0
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail(failures.Select(failure => of + failure));
    }
}
